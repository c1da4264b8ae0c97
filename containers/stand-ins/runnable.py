"""Makes a jar that `java -jar` runs as DynamoDB Local, with the jars in DynamoDBLocal_lib beside it."""

import sys
import zipfile
from pathlib import Path

MAIN = "software.amazon.dynamodb.services.local.main.ServerRunner"
WIDTH = 70  # bytes of a manifest's line; a longer one goes on behind a blank


def main(jars: Path, made: Path) -> None:
    entry = "Class-Path: " + " ".join(
        f"DynamoDBLocal_lib/{jar.name}" for jar in sorted(jars.glob("*.jar"))
    )
    lines = [entry[start : start + WIDTH] for start in range(0, len(entry), WIDTH)]
    manifest = [
        "Manifest-Version: 1.0",
        f"Main-Class: {MAIN}",
        lines[0],
        *(f" {line}" for line in lines[1:]),
    ]
    with zipfile.ZipFile(made, "w") as jar:
        jar.writestr("META-INF/MANIFEST.MF", "\r\n".join(manifest) + "\r\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))

"""Makes catalogue.json: run by hand, from the repository's root, when the table below changes.

Names and ranks come from two npm packages, pinned by version and checksum; every asset must have
an icon there. Category, listing price and supply are the table's. A listing price is where an
asset of this simulated market begins: the magnitude is the real asset's, the figure isn't a quote.
"""

import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

ICONS = "cryptocurrency-icons@0.18.1"  # CC0
METADATA = "@web3icons/common@0.11.51"  # MIT
SVGS = "@web3icons/core@4.0.56"  # MIT
STYLES = ("branded", "mono")
SHA256 = {
    ICONS: "03334621204a65309bcdb295548e762fce5b8e5286b4822e8ad3777efd966189",
    METADATA: "4999ca10b8bffd5927e1a83a1e5a0183b4092987b6008810cda38d6076e76b69",
    SVGS: "4378e99b80ac48c7e60d23e6b33e6d89bd611a4a4190ae2b6ea824a65d42c08d",
}

# symbol, listing price in USD, and the most that will ever exist where its protocol fixes that
TABLE = """
[layer-1]
BTC 60000 21000000
ETH 3000
BNB 600
SOL 150
ADA 0.45 45000000000
AVAX 28 720000000
TRX 0.16
DOT 6.2
TON 5.4
NEAR 4.8
APT 8.5
SUI 2.1 10000000000
ICP 9.4
ATOM 6.8
ALGO 0.18 10000000000
HBAR 0.085 50000000000
XTZ 0.82
EGLD 32
FLOW 0.72
KAS 0.14
SEI 0.42 10000000000
TIA 5.9
INJ 22
CFX 0.17
MINA 0.56
CELO 0.64
KAVA 0.48
ROSE 0.083 10000000000
ZIL 0.019 21000000000
QTUM 2.9
NEO 12.5 100000000
VET 0.027
ETC 24 210700000
EOS 0.61
KSM 23
ICX 0.16
ONT 0.21
LSK 0.94
CORE 1.1 2100000000
FLR 0.021
GLMR 0.24
WAVES 1.3
XRD 0.034
CSPR 0.018
[payments]
XRP 0.55 100000000000
LTC 75 84000000
BCH 380 21000000
BSV 52 21000000
XLM 0.11
DOGE 0.13
DGB 0.0079 21000000000
XNO 0.97 133248297
XEC 0.000034 21000000000000
DCR 14.5 21000000
RVN 0.019 21000000000
IOTA 0.17
XDC 0.031
[privacy]
XMR 165
ZEC 41 21000000
DASH 27
ZEN 9.2 21000000
SCRT 0.28
[stablecoin]
USDT 1
USDC 1
DAI 1
FDUSD 1
PYUSD 1
TUSD 1
[commodity]
PAXG 2600
XAUT 2590
[wrapped]
WBTC 59950
CBETH 3240
RETH 3370
[defi]
UNI 7.6
AAVE 128 16000000
MKR 1850
LDO 1.2 1000000000
CRV 0.31
COMP 48 10000000
SNX 1.6
SUSHI 0.74
YFI 5400 36666
BAL 2.2
CAKE 1.9
DYDX 1.05
GMX 26
PENDLE 4.1
RUNE 4.6
RAY 2.7
BNT 0.58
ZRX 0.34 1000000000
KNC 0.52
UMA 2.4
OSMO 0.47
LRC 0.15
[exchange]
LEO 6.1
CRO 0.088
OKB 42
KCS 8.4
GT 8.2
WOO 0.19
[meme]
SHIB 0.000017
PEPE 0.0000094
MEME 0.012 69000000000
POPCAT 0.94
MOG 0.0000018
[scaling]
POL 0.41
ARB 0.58
OP 1.55
IMX 1.4 2000000000
MNT 0.63
STRK 0.43 10000000000
STX 1.75 1818000000
SKL 0.044
METIS 34
[infrastructure]
LINK 11.8 1000000000
FIL 3.9 2000000000
GRT 0.16
AR 21 66000000
QNT 72
HNT 6.7
LPT 13.8
STORJ 0.41
ANKR 0.027 10000000000
BAT 0.19 1500000000
PYTH 0.34 10000000000
SC 0.0047
TRAC 0.58
AXL 0.57
ENS 18.5 100000000
IOTX 0.041
[ai]
FET 1.35
TAO 430 21000000
NMR 15.2
GLM 0.34
AKT 2.6
OCEAN 0.53
[gaming]
SAND 0.27 3000000000
MANA 0.3
AXS 5.1 270000000
GALA 0.021 50000000000
ENJ 0.15
ILV 41
YGG 0.42
PIXEL 0.15
[media]
APE 0.78 1000000000
CHZ 0.061
THETA 1.25 1000000000
TFUEL 0.058
BLUR 0.24
MASK 2.3 100000000
"""


class Listing(NamedTuple):
    asset_id: str
    category: str
    price: Decimal  # USD
    supply: int | None


class Token(NamedTuple):
    """What the packages know of a symbol. icon: whether one of them draws it."""

    name: str
    rank: int | None
    icon: bool


def listings() -> Iterator[Listing]:
    """Yields the table's assets in its order."""
    category = ""
    for line in TABLE.split("\n"):
        if line.startswith("["):
            category = line.strip("[]")
        elif line:
            asset_id, price, *supply = line.split()
            yield Listing(asset_id, category, Decimal(price), int(supply[0]) if supply else None)


def asset(listing: Listing, token: Token) -> dict[str, str | int]:
    """Returns the asset's line in the catalogue. Raises: ValueError if it has no icon."""
    if not token.icon:
        raise ValueError(f"{listing.asset_id} has no icon")
    price_scale = 7 - listing.price.adjusted()  # 8 digits: 5 are left at 1/1000 of it
    scale = min(8, (Decimal(2**53) * listing.price / 10**10).adjusted())  # see the catalogue's test
    cent = 10**scale / listing.price / 100  # in minor units
    line: dict[str, str | int] = {
        "asset_id": listing.asset_id,
        "name": token.name,
        "category": listing.category,
        "scale": scale,
        "price_scale": price_scale,
        "listing_price": int(listing.price * 10**price_scale),
        "tick_size": 10,  # of 8 digits: 5 are left at 1/100 of the listing price, the walk's bound
        "min_quantity": 10 ** max(0, cent.adjusted()),  # at most a cent: a dollar at 100 times it
    }
    if listing.supply is not None:
        line["supply"] = listing.supply
    if token.rank is not None:
        line["rank"] = token.rank
    return line


def fetched(spec: str, folder: Path) -> Path:
    """Returns the package as npm fetches it."""
    command = ["npm", "pack", spec, "--silent", "--pack-destination", str(folder)]
    packed = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return folder / packed.stdout.split()[-1]


def opened(path: Path, checksum: str) -> tarfile.TarFile:
    """Returns the opened package. Raises: ValueError if it isn't the one that was pinned."""
    if hashlib.sha256(path.read_bytes()).hexdigest() != checksum:
        raise ValueError(f"{path.name} has another checksum than the pinned one")
    return tarfile.open(path)


def text(archive: tarfile.TarFile, path: str) -> str:
    """Returns a text file of the package. Raises: KeyError if there is none."""
    member = archive.extractfile(f"package/{path}")
    assert member is not None  # a file, not a folder
    return member.read().decode()


def older_tokens(icons: tarfile.TarFile) -> Iterator[tuple[str, Token]]:
    """Yields the symbols of cryptocurrency-icons."""
    paths = set(icons.getnames())
    for coin in json.loads(text(icons, "manifest.json")):
        icon = f"package/svg/color/{coin['symbol'].lower()}.svg"
        yield coin["symbol"], Token(coin["name"], None, icon in paths)


def newer_tokens(metadata: tarfile.TarFile, svgs: tarfile.TarFile) -> Iterator[tuple[str, Token]]:
    """Yields the symbols of @web3icons, whose tokens.js holds an object literal each."""
    paths = set(svgs.getnames())
    for entry in text(metadata, "dist/metadata/tokens.js").split("\n  },\n"):
        field = dict(re.findall(r"^    (\w+): '?(.*?)'?,$", entry, re.MULTILINE))
        if not {"symbol", "name", "filePath"} <= field.keys():
            continue
        kind, file = field["filePath"].split(":")
        icons = {f"package/dist/svgs/{kind}s/{style}/{file}.svg.js" for style in STYLES}
        rank = field.get("marketCapRank", "0")
        known = int(rank) if rank.isdigit() and rank != "0" else None
        yield field["symbol"].upper(), Token(field["name"], known, not icons.isdisjoint(paths))


def tokens(
    icons: tarfile.TarFile, metadata: tarfile.TarFile, svgs: tarfile.TarFile
) -> dict[str, Token]:
    """Returns what the packages know by symbol; of two words the newer package's is taken."""
    known = dict(older_tokens(icons)) | dict(newer_tokens(metadata, svgs))
    return known | {"BTC": known["BTC"]._replace(rank=1)}  # the package leaves the first out


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        packages = (opened(fetched(spec, Path(folder)), SHA256[spec]) for spec in SHA256)
        known = tokens(*packages)
    lines = (json.dumps(asset(listing, known[listing.asset_id])) for listing in listings())
    path = Path(__file__).with_name("catalogue.json")
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()

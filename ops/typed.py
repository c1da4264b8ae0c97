"""The client's models, made of the API's document."""

from typing import Any

from datamodel_code_generator import generate
from datamodel_code_generator.enums import DataModelType, InputFileType
from datamodel_code_generator.format import Formatter, PythonVersion
from pydantic_core import to_json

NOISE = {
    "oneOf": list,
    "title": str,
    "examples": list,
    "enum": list,
    "format": str,
    "writeOnly": bool,
}
HEADER = '''"""What the edge is sent and answers, made of docs/openapi.json by `make contract`.

What is an enumeration there is a plain string here: a later edge may know more words, and fields.
"""

'''


def models(openapi: dict[str, Any]) -> str:
    """Returns the text of a module with a pydantic model for each of the document's schemas."""
    made = generate(
        to_json(plain(openapi)).decode(),
        input_file_type=InputFileType.OpenAPI,
        output_model_type=DataModelType.PydanticV2BaseModel,
        target_python_version=PythonVersion.PY_311,
        use_standard_collections=True,
        use_union_operator=True,
        use_annotated=True,
        use_schema_description=True,
        strict_nullable=True,
        collapse_root_models=True,
        disable_timestamp=True,
        custom_file_header=HEADER,
        formatters=[Formatter.RUFF_CHECK, Formatter.RUFF_FORMAT],
    )
    if not isinstance(made, str):
        raise TypeError("models of one document are one module")
    return made.rstrip() + "\n"


def plain(part: Any) -> Any:
    """Returns the document without what a reader of answers has no use for. A date is still one."""
    match part:
        case dict():
            return {name: plain(value) for name, value in part.items() if not noise(name, value)}
        case list():
            return [plain(one) for one in part]
        case _:
            return part


def noise(name: str, value: object) -> bool:
    return isinstance(value, NOISE.get(name, ())) and value != "date-time"

"""What a route's function wants of a request, found out once, where the route is declared. FastAPI documents it, and
would find it out anew at each request: that takes longer than all else that a read does.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from fastapi import Request
from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response

from .problems import invalid

Query = Mapping[str, str]
NOTHING: Query = {}


class Unserved(Exception):
    """The function wants what only FastAPI's own machinery gives: the process must not start."""


class Parameter(NamedTuple):
    """place: path, query or header; alias: its name there; name: the function's for it; default: if it need not be
    there.
    """

    place: str
    alias: str
    name: str
    field: ModelField
    required: bool
    default: Any


@dataclass(frozen=True)
class Asked:
    """A request that is being answered. known: what its dependencies came to."""

    request: Request
    response: Response
    query: Query
    known: dict[Any, Any] = field(default_factory=dict)

    def value(self, parameter: Parameter) -> Any:
        """Returns what the request says of it, None if nothing."""
        match parameter.place:
            case "query":
                return self.query.get(parameter.alias)
            case "path":
                return self.request.path_params[parameter.alias]
            case _:
                return self.request.headers.get(parameter.alias)


@dataclass(frozen=True)
class Wanted:
    """parts: what it depends on, by the names that it gives them, None: it wants no more than that they pass."""

    call: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    parts: tuple[tuple[str | None, "Wanted"], ...]
    request: str | None
    response: str | None

    async def of(self, asked: Asked) -> Any:
        """Returns what the function returns. Raises: RequestValidationError, and what it raises."""
        if self.call in asked.known:
            return asked.known[self.call]
        given: dict[str, Any] = {}
        for name, part in self.parts:
            found = await part.of(asked)
            if name is not None:
                given[name] = found
        if self.parameters:
            given |= self._checked(asked)
        if self.request is not None:
            given[self.request] = asked.request
        if self.response is not None:
            given[self.response] = asked.response
        found = asked.known[self.call] = await self.call(**given)
        return found

    def _checked(self, asked: Asked) -> dict[str, Any]:
        """Returns the parameters' values. Raises: RequestValidationError."""
        values, faults = {}, []
        for parameter in self.parameters:
            place, alias, name, wanted, required, default = parameter
            text = asked.value(parameter)
            if text is not None:
                values[name], found = wanted.validate(text, loc=(place, alias))
                faults += found
            elif required:
                faults.append({"type": "missing", "loc": (place, alias), "msg": "Field required"})
            else:
                values[name] = default
        if faults:
            raise RequestValidationError(faults)
        return values


def wanted(dependant: Dependant) -> Wanted:
    """Returns what FastAPI found out. Raises: Unserved."""
    call = dependant.call
    if call is None or not iscoroutinefunction(call):
        raise Unserved(f"{call} is no coroutine function")
    if dependant.body_params or dependant.cookie_params:
        raise Unserved(f"{call} wants a body or a cookie")
    return Wanted(
        call,
        tuple(parameters(dependant)),
        tuple((part.name, wanted(part)) for part in dependant.dependencies),
        dependant.request_param_name,
        dependant.response_param_name,
    )


def parameters(dependant: Dependant) -> Iterator[Parameter]:
    for place, fields in (
        ("path", dependant.path_params),
        ("query", dependant.query_params),
        ("header", dependant.header_params),
    ):
        for each in fields:
            required = each.field_info.is_required()
            default = None if required else each.default
            yield Parameter(place, each.alias, each.name, each, required, default)


def once(query_string: bytes) -> Query:
    """Returns the parameters of a query by name. Raises: Refused if one is there twice: it has one meaning or none."""
    if not query_string:
        return NOTHING
    pairs = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True)
    query = dict(pairs)
    if len(query) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise invalid(f"query/{twice[:64]}", "given_twice", "May be given once only")
    return query

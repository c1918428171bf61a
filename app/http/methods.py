"""The methods that a path takes: for OPTIONS, for 405, and HEAD wherever there is GET (RFC 9110, sections 9 and 15)."""

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import compile_path


def add_head_routes(router: APIRouter) -> None:
    """Add a route for HEAD to each route for GET, except to those whose reply lasts as long as a task.

    A router that several applications share is changed only once.
    """
    routes = [route for route in router.routes if isinstance(route, APIRoute)]
    answered = {route.path for route in routes if route.methods == {"HEAD"}}
    for route in routes:
        is_plain_get = route.methods == {"GET"} and route.path not in answered
        if is_plain_get and route.response_class is not StreamingResponse:
            path = route.path.removeprefix(router.prefix)
            router.add_api_route(path, route.endpoint, methods=["HEAD"], name=route.name, include_in_schema=False)


def list_methods(request: Request) -> frozenset[str]:
    """Return the methods that the path of a request takes. The set is empty where no route has the path.

    Where a route writes the path out, routes that would match it with a parameter do not count.
    """
    path = request.url.path
    routes = [(route.path, route.methods) for route in iter_route_contexts(request.app.routes)]
    known = [(text, methods) for text, methods in routes if text and methods and _matches(text, path)]
    own = [methods for text, methods in known if text == path]
    return frozenset().union(*(own or (methods for _, methods in known)))


def _matches(route: str, path: str) -> bool:
    pattern, _, _ = compile_path(route)
    return pattern.match(path) is not None

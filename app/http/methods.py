"""Which methods a path takes: what OPTIONS and 405 say, and HEAD where there is GET (RFC 9110, sections 9 and 15)."""

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import compile_path


def answer_head(router: APIRouter) -> None:
    """Let every route that is looked at with GET answer HEAD, too; not those whose reply lasts as long as a task.

    A router that several applications share is changed once.
    """
    routes = [route for route in router.routes if isinstance(route, APIRoute)]
    answered = {route.path for route in routes if route.methods == {"HEAD"}}
    for route in routes:
        looked_at = route.methods == {"GET"} and route.path not in answered
        if looked_at and route.response_class is not StreamingResponse:
            path = route.path.removeprefix(router.prefix)
            router.add_api_route(path, route.endpoint, methods=["HEAD"], name=route.name, include_in_schema=False)


def methods_at(request: Request) -> frozenset[str]:
    """Return the methods that the path of a request takes, of all routes that share it; none where there is no such.

    A path that is written out in a route is that route's alone, although a parameter of another one would fit it.
    """
    path = request.url.path
    routes = [(route.path, route.methods) for route in iter_route_contexts(request.app.routes)]
    known = [(text, methods) for text, methods in routes if text and methods and _fits(text, path)]
    own = [methods for text, methods in known if text == path]
    return frozenset().union(*(own or (methods for _, methods in known)))


def _fits(route: str, path: str) -> bool:
    pattern, _, _ = compile_path(route)
    return pattern.match(path) is not None

"""Users and access keys, for administrators. OCP has other routes for them; these are ours."""
# ruff: noqa: D103
# A route's summary is its docstring.

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from app.audit.recorder import note
from app.auth.passwords import LONGEST as LONGEST_PASSWORD
from app.auth.permission import UserChanger, UserReader
from app.context import fleet_of
from app.http.page import page_document
from app.http.paging import PageNumber, PageSize
from app.http.reply import reply, reply_nothing
from app.iam import access_keys as keys_service
from app.iam import users as users_service
from app.iam.body import KeyBody, PasswordBody, RolesBody, UserBody
from app.iam.schemas import ChangedUser, KeyPage, NewKey, UserPage
from app.iam.views import changed_user_document, key_document, new_key_document, user_document
from app.openapi.operations import documented
from core.user import Permission, Role

router = APIRouter(prefix="/api/v2/iam", tags=["users"])
_BODY_ERRORS = (400, 413, 415)
_SECRET = {"Cache-Control": "no-store"}
"""Headers of replies that hold one."""
Name = Annotated[str, Path(description="of the user")]

_ROLES = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "string", "enum": list(Role)},
    "description": "what it may do",
}
_PASSWORD = {
    "type": ["string", "null"],
    "minLength": users_service.SHORTEST_PASSWORD,
    "maxLength": LONGEST_PASSWORD,
    "description": "left out: one is generated and shown once in the reply",
}
_NAME = {"type": "string", "pattern": f"^{users_service.NAME}$", "description": "letters, digits and . _ @ -"}
_DESCRIPTION = {
    "type": ["string", "null"],
    "maxLength": keys_service.LONGEST,
    "pattern": f"^{keys_service.ONE_LINE}$",
    "description": "what it is for",
}


def _body(required: list[str], **properties: object) -> dict[str, Any]:
    schema = {"type": "object", "required": required, "additionalProperties": False, "properties": properties}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


_USER_BODY = _body(["name", "roles"], name=_NAME, roles=_ROLES, password=_PASSWORD)
_PASSWORD_BODY = _body([], password=_PASSWORD)
_ROLES_BODY = _body(["roles"], roles=_ROLES)
_KEY_BODY = _body(
    ["user"], user={"type": "string", "description": "whose permissions it has"}, description=_DESCRIPTION
)


def _changing(data: type[object] | None, *errors: int, body: dict[str, Any] | None = None) -> dict[str, Any]:
    return documented(data, Permission.USER_CHANGE, *errors, body=body, beyond_ocp=True)


@router.get(
    "/users", summary="List the users, by name", **documented(UserPage, Permission.USER_READ, 400, beyond_ocp=True)
)
async def page_users(request: Request, _user: UserReader, page: PageNumber = 1, size: PageSize = 10) -> Response:
    users = await users_service.list_users(fleet_of(request).store)
    shown = [user_document(user) for user in users[(page - 1) * size : page * size]]
    return reply(request, page_document(shown, page, size, len(users)))


@router.post("/users", summary="Add a user", **_changing(ChangedUser, *_BODY_ERRORS, 409, body=_USER_BODY))
async def add_user(request: Request, _user: UserChanger, new: UserBody) -> Response:
    fleet = fleet_of(request)
    added = await users_service.add_user(fleet.store, fleet.passwords, new.name, new.roles, new.password)
    return reply(request, changed_user_document(added), headers=_SECRET)


@router.delete("/users/{name}", summary="Remove a user and its access keys", **_changing(None, 404, 409))
async def remove_user(request: Request, user: UserChanger, name: Name) -> Response:
    keys = await users_service.remove_user(fleet_of(request).store, name, by=user.name)
    note(request, {"accessKeys": keys} if keys else {})
    return reply_nothing(request)


@router.post(
    "/users/{name}/password",
    summary="Change a user's password",
    **_changing(ChangedUser, *_BODY_ERRORS, 404, body=_PASSWORD_BODY),
)
async def change_password(request: Request, _user: UserChanger, name: Name, new: PasswordBody) -> Response:
    fleet = fleet_of(request)
    changed = await users_service.change_password(fleet.store, fleet.passwords, name, new.password)
    return reply(request, changed_user_document(changed), headers=_SECRET)


@router.post(
    "/users/{name}/roles",
    summary="Give a user other roles, in place of those that it has",
    **_changing(ChangedUser, *_BODY_ERRORS, 404, 409, body=_ROLES_BODY),
)
async def change_roles(request: Request, user: UserChanger, name: Name, roles: RolesBody) -> Response:
    changed = await users_service.change_roles(fleet_of(request).store, name, roles, by=user.name)
    return reply(request, changed_user_document(users_service.Changed(changed)))


@router.get(
    "/keys",
    summary="List the access keys, oldest first; never their secret keys",
    **documented(KeyPage, Permission.USER_READ, 400, beyond_ocp=True),
)
async def page_keys(request: Request, _user: UserReader, page: PageNumber = 1, size: PageSize = 10) -> Response:
    keys = await fleet_of(request).store.access_keys.all()
    shown = [key_document(key) for key in keys[(page - 1) * size : page * size]]
    return reply(request, page_document(shown, page, size, len(keys)))


@router.post(
    "/keys",
    summary="Make an access key for a user; its secret key is shown this once",
    **_changing(NewKey, *_BODY_ERRORS, 404, body=_KEY_BODY),
)
async def add_key(request: Request, _user: UserChanger, new: KeyBody) -> Response:
    fleet = fleet_of(request)
    made = await keys_service.add_key(fleet.store, fleet.vault, new.user, new.description, fleet.clock())
    note(request, {"accessKey": made.key.id})
    return reply(request, new_key_document(made), headers=_SECRET)


@router.delete("/keys/{accessKey}", summary="Remove an access key", **_changing(None, 404))
async def remove_key(
    request: Request, _user: UserChanger, key: Annotated[str, Path(alias="accessKey", description="the AK")]
) -> Response:
    await keys_service.remove_key(fleet_of(request).store, key)
    return reply_nothing(request)

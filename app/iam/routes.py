"""The routes of users and access keys, for administrators. OCP has other routes for them."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from app.auth.permission import UserChanger, UserReader
from app.auth.services import auth_of
from app.context import context_of
from app.http.paging import PageParam, SizeParam, build_page
from app.http.reply import reply, reply_nothing
from app.http.request_state import note
from app.iam import access_keys as keys_service
from app.iam import users as users_service
from app.iam.body import KeyBody, PasswordBody, RolesBody, UserBody
from app.iam.body_description import KEY_BODY, PASSWORD_BODY, ROLES_BODY, USER_BODY
from app.iam.schemas import ChangedUser, KeyPage, NewKey, UserPage
from app.iam.views import render_key, render_new_key, render_user, render_user_change
from app.openapi.operations import describe_operation
from core.user import Permission

router = APIRouter(prefix="/api/v2/iam", tags=["users"])
_BODY_ERRORS = (400, 413, 415)
_SECRET = {"Cache-Control": "no-store"}
"""Headers of replies that hold a secret."""
Name = Annotated[str, Path(description="of the user")]


def _describe_change(data: type[object] | None, *errors: int, body: dict[str, Any] | None = None) -> dict[str, Any]:
    return describe_operation(data, Permission.USER_CHANGE, *errors, body=body, beyond_ocp=True)


@router.get(
    "/users",
    summary="List the users, by name",
    **describe_operation(UserPage, Permission.USER_READ, 400, beyond_ocp=True),
)
async def page_users(request: Request, _user: UserReader, page: PageParam = 1, size: SizeParam = 10) -> Response:
    users = await users_service.list_users(context_of(request).store)
    shown = [render_user(user) for user in users[(page - 1) * size : page * size]]
    return reply(request, build_page(shown, page, size, len(users)))


@router.post("/users", summary="Add a user", **_describe_change(ChangedUser, *_BODY_ERRORS, 409, body=USER_BODY))
async def add_user(request: Request, _user: UserChanger, new: UserBody) -> Response:
    store, passwords = context_of(request).store, auth_of(request).passwords
    added = await users_service.add_user(store, passwords, new.name, new.roles, new.password)
    return reply(request, render_user_change(added), headers=_SECRET)


@router.delete("/users/{name}", summary="Remove a user and its access keys", **_describe_change(None, 404, 409))
async def remove_user(request: Request, user: UserChanger, name: Name) -> Response:
    keys = await users_service.remove_user(context_of(request).store, name, by=user.name)
    note(request, {"accessKeys": keys} if keys else {})
    return reply_nothing(request)


@router.post(
    "/users/{name}/password",
    summary="Change a user's password",
    **_describe_change(ChangedUser, *_BODY_ERRORS, 404, body=PASSWORD_BODY),
)
async def change_password(request: Request, _user: UserChanger, name: Name, new: PasswordBody) -> Response:
    store, passwords = context_of(request).store, auth_of(request).passwords
    changed = await users_service.change_password(store, passwords, name, new.password)
    return reply(request, render_user_change(changed), headers=_SECRET)


@router.post(
    "/users/{name}/roles",
    summary="Replace the roles of a user",
    **_describe_change(ChangedUser, *_BODY_ERRORS, 404, 409, body=ROLES_BODY),
)
async def change_roles(request: Request, user: UserChanger, name: Name, roles: RolesBody) -> Response:
    changed = await users_service.change_roles(context_of(request).store, name, roles, by=user.name)
    return reply(request, render_user_change(users_service.UserChange(changed)))


@router.get(
    "/keys",
    summary="List the access keys, oldest first; never their secret keys",
    **describe_operation(KeyPage, Permission.USER_READ, 400, beyond_ocp=True),
)
async def page_keys(request: Request, _user: UserReader, page: PageParam = 1, size: SizeParam = 10) -> Response:
    keys = await context_of(request).store.access_keys.all()
    shown = [render_key(key) for key in keys[(page - 1) * size : page * size]]
    return reply(request, build_page(shown, page, size, len(keys)))


@router.post(
    "/keys",
    summary="Make an access key for a user; its secret key is shown only once",
    **_describe_change(NewKey, *_BODY_ERRORS, 404, body=KEY_BODY),
)
async def add_key(request: Request, _user: UserChanger, new: KeyBody) -> Response:
    context = context_of(request)
    made = await keys_service.add_key(context.store, auth_of(request).vault, new.user, new.description, context.clock())
    note(request, {"accessKey": made.key.id})
    return reply(request, render_new_key(made), headers=_SECRET)


@router.delete("/keys/{accessKey}", summary="Remove an access key", **_describe_change(None, 404))
async def remove_key(
    request: Request, _user: UserChanger, key: Annotated[str, Path(alias="accessKey", description="the AK")]
) -> Response:
    await keys_service.remove_key(context_of(request).store, key)
    return reply_nothing(request)

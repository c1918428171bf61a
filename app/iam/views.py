"""Renders users and access keys for replies."""

from app.http.wire import format_id, format_seconds
from app.iam.access_keys import NewAccessKey
from app.iam.users import ListedUser, UserChange
from core.access_key import AccessKey
from core.user import User

Document = dict[str, object]


def render_user(listed: ListedUser) -> Document:
    """Return a user, as lists show it."""
    return {"accessKeys": listed.access_keys} | _render_user(listed.user)


def render_user_change(change: UserChange) -> Document:
    """Return a user that was added or changed, with its password if that was generated."""
    document = _render_user(change.user)
    if change.password is not None:
        document["password"] = change.password
    return dict(sorted(document.items()))


def render_key(key: AccessKey) -> Document:
    """Return an access key without its secret."""
    return {
        "accessKey": key.id,
        "createTime": format_seconds(key.created),
        "description": key.description,
        "user": key.user,
    }


def render_new_key(new: NewAccessKey) -> Document:
    """Return a new access key with its secret."""
    return dict(sorted((render_key(new.key) | {"secretKey": new.secret}).items()))


def _render_user(user: User) -> Document:
    return {"id": format_id(user.id), "name": user.name, "roles": sorted(user.roles)}

"""Users and access keys as replies show them."""

from app.http.wire import long, stamp_seconds
from app.iam.access_keys import Made
from app.iam.users import Changed, Listed
from core.access_key import AccessKey
from core.user import User

Document = dict[str, object]


def user_document(listed: Listed) -> Document:
    """Return a user, as lists show it."""
    return {"accessKeys": listed.access_keys} | _user(listed.user)


def changed_user_document(changed: Changed) -> Document:
    """Return a user that was added or changed, with its password where that was generated."""
    document = _user(changed.user)
    if changed.password is not None:
        document["password"] = changed.password
    return dict(sorted(document.items()))


def key_document(key: AccessKey) -> Document:
    """Return an access key without its secret."""
    return {
        "accessKey": key.id,
        "createTime": stamp_seconds(key.created),
        "description": key.description,
        "user": key.user,
    }


def new_key_document(made: Made) -> Document:
    """Return a new access key with its secret."""
    return dict(sorted((key_document(made.key) | {"secretKey": made.secret}).items()))


def _user(user: User) -> Document:
    return {"id": long(user.id), "name": user.name, "roles": sorted(user.roles)}

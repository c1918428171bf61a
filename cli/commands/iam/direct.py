"""Users and access keys in the store, without the API: for when no administrator can log in."""

from collections.abc import Sequence

from typing_extensions import override

from app.auth.passwords import Argon2
from app.auth.vault import Vault
from app.iam import access_keys, users
from app.iam.views import render_key, render_new_key, render_user, render_user_change
from cli import direct_store
from cli.commands.iam.backend import IamBackend
from cli.direct_store import record_audit
from cli.output import Document
from core.user import Role
from infra.clock import now
from infra.settings import ApiSettings, load_settings
from infra.store import Store


class DirectIam(IamBackend):
    """Changes the store in the settings; the audit log names the operating system's user."""

    @override
    def list_users(self) -> list[Document]:
        return [render_user(user) for user in direct_store.run(users.list_users)]

    @override
    def add_user(self, name: str, roles: Sequence[Role], password: str | None) -> Document:
        async def add(store: Store) -> users.UserChange:
            added = await users.add_user(store, Argon2(), name, roles, password)
            await record_audit(store, f"user add {name}", _to_fields(roles))
            return added

        return render_user_change(direct_store.run(add))

    @override
    def remove_user(self, name: str) -> None:
        async def remove(store: Store) -> None:
            keys = await users.remove_user(store, name)
            await record_audit(store, f"user remove {name}", {"accessKeys": ", ".join(keys)} if keys else {})

        direct_store.run(remove)

    @override
    def change_password(self, name: str, password: str | None) -> Document:
        async def change(store: Store) -> users.UserChange:
            changed = await users.change_password(store, Argon2(), name, password)
            await record_audit(store, f"user password {name}", {})
            return changed

        return render_user_change(direct_store.run(change))

    @override
    def change_roles(self, name: str, roles: Sequence[Role]) -> Document:
        async def change(store: Store) -> users.UserChange:
            changed = await users.change_roles(store, name, roles)
            await record_audit(store, f"user roles {name}", _to_fields(roles))
            return users.UserChange(changed)

        return render_user_change(direct_store.run(change))

    @override
    def list_keys(self) -> list[Document]:
        return [render_key(key) for key in direct_store.run(lambda store: store.access_keys.all())]

    @override
    def add_key(self, user: str, description: str) -> Document:
        vault = Vault(load_settings(ApiSettings).key_file)

        async def add(store: Store) -> access_keys.NewAccessKey:
            made = await access_keys.add_key(store, vault, user, description, now())
            await record_audit(store, f"key add {user}", {"accessKey": made.key.id})
            return made

        return render_new_key(direct_store.run(add))

    @override
    def remove_key(self, key: str) -> None:
        async def remove(store: Store) -> None:
            await access_keys.remove_key(store, key)
            await record_audit(store, f"key remove {key}", {})

        direct_store.run(remove)


def _to_fields(roles: Sequence[Role]) -> dict[str, str]:
    return {"roles": ", ".join(sorted(roles))}

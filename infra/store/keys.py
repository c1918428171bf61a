"""Every key of the record, in one place. The scripts build the same names in `scripts/prelude.lua`.

Of one task (all go together, some days after it ended; the events sooner):

- `task:{id}` hash: its head (version, type, creator, executor, trace, started, finished, status, operation), `opened`
  (index of the newest open step), `back` (on the way back: index of the step that is being undone), `token` (the last
  one given), `held` (hosts it holds), `hosts` (how many it has), `first` (its first subtask's id), `n:{step}:{status}`
  (counts), `cursor:{step}` (subtasks below it were claimed once), `undone:{step}` (the same on the way back),
  `own:{step}` (the token under which a whole step is being claimed), `once` (the key below that names it), `confirmed`
  (where replicas are waited for: how often the same request was made again; then it is not withdrawn any more),
  `skipped` (1 once a subtask was skipped), `cancelled` (1 from its cancelling to its next retry), `turning` (retry or
  rollback, while many failed subtasks become ready again in several calls).
- `task:{id}:hosts` list: its host ids in the order given.
- `task:{id}:subtasks:{n}` hash: seriesId to record, for the subtasks 128n to 128n+127 that something happened to.
- `task:{id}:logs:{n}` hash: `seriesId:runTime` to the compressed log of that run, in the same buckets;
  `seriesId:runTime:L` says that the run was lost for good, `…:K` is the log of its skipping, `…:B` of its undoing
  (`…:M` where that was lost), `…:Q` of the skipping of that. While a run goes on: what it has done so far.
- `task:{id}:executors` hash: the worker processes that worked on it, name to the number that the records use.
- `task:{id}:again:{step}` sorted set: subtasks that became ready again, as offsets into their step.
- `task:{id}:failed:{step}` sorted set: the failed subtasks of a step, as offsets into it.
- `task:{id}:losses` hash: seriesId to how often a worker was lost that had claimed it.
- `task:{id}:events` stream, capped: one entry for each batch of changes; `changes` in the head counts them all.

Of the fleet:

- `tasks` sorted set: every task's id. `expiring` sorted set: when a finished task's keys will be gone.
- `tasks:{status}:{type}` sorted set: the ids of the tasks with this status and of this type.
- `tasks:{status}:{type}:creator:{name}` sorted set: those of one creator; `…:host:{id}` and
  `…:host:{id}:creator:{name}` likewise, of tasks about a single host.
- `tasks:indexed` hash: task's id to "status type host creator", which says in which of these sets it stands.
- `types` set: every task type that a task was made of.
- `seq:task`, `seq:subtask`, `seq:user`, `seq:worker`, `seq:audit`: the last number given.
- `once:{userId}:{key}`: `taskId digest`, the task that a user's Idempotency-Key stands for, for a day.
- `host:{id}` hash: ip, port, user, home, prefix, sudo, key, alias, status, agent (its status), version (the agent's),
  created, updated, and what OCP keeps beside (kind, idc, model, ports, serial, description); while a task holds it also
  `holder`, `former_status` and `former_agent`; from when a task gave it back until another one takes it `past`: that
  task's id and the former statuses, so that a rollback can take it again.
- `busy:{id}`: `lease purpose`, while a request that is no task works on the host; it lapses.
- `hosts` sorted set, all scores 0: every host's id in 19 digits, so that order by name is order by number.
- `protected` set: the ids of the hosts that no request touches. None of them has a holder or a lease.
- `aliases` hash: alias to host id. `endpoints` hash: `ip port home` to the id of the host whose agent that is.
- `seq:host`: the last id given to a host; never below an id of at most 15 digits that was given by people.
- `errand:{id}`: an errand that no worker has claimed yet, as JSON. `errand:{id}:answer` list: its answer, likewise.
- `workers` hash: worker's number to its name. `beats` hash: its counter, -1 once it was called lost. `alive:{n}`:
  lapses when it stops beating.
- `claims:{n}` hash: `taskId:seriesId` to token, what that worker has claimed and not settled.
- `suspect:{n}`: `taskId:seriesId`, the claim of that worker whose subtask lost workers before; there is one at a time.
- `reconciler:{version}`: the number of the worker that reconciles, of those whose newest known version of a task's head
  this is; lapses.
- `cancels:{n}` set: `taskId:seriesId:token`, the claims that this worker is asked to let go.
- `brake`: who pulled the fleet's brake, when and why, as JSON; there only while it is on.
- `users` hash: a user's name to its record as JSON (the password as an argon2id hash).
- `access_keys` hash: an AK to its record as JSON (the SK encrypted with the API's key file, which Redis never sees).
- `restoring`: the file that a restore is reading; there only while the record is not whole.
- `mark:{name}`: set for a while; `sig:{hash}` is a signed request that was done and is not done again.
- `count:{name}`: a counter that lapses: wrong passwords (`login:…`; names and addresses as a hash), successful ones
  (`known:…`), refusals of unknown people that the audit kept (`stranger:…`).
- `audit` stream, capped: who did what, one entry `{n}-0` with the field `e` as JSON; n from `seq:audit`, without gaps.
"""

from typing import Final

PREFIX: Final = "ocpfleet:"
BUCKET: Final = 128

HOSTS: Final = f"{PREFIX}hosts"
PROTECTED: Final = f"{PREFIX}protected"
ALIASES: Final = f"{PREFIX}aliases"
WORKERS: Final = f"{PREFIX}workers"
BEATS: Final = f"{PREFIX}beats"
RESTORING: Final = f"{PREFIX}restoring"
BRAKE: Final = f"{PREFIX}brake"
USERS: Final = f"{PREFIX}users"
ACCESS_KEYS: Final = f"{PREFIX}access_keys"
AUDIT: Final = f"{PREFIX}audit"
WORKER_SEQUENCE: Final = f"{PREFIX}seq:worker"
USER_SEQUENCE: Final = f"{PREFIX}seq:user"


def task(task_id: int) -> str:
    """Return the key of a task's head."""
    return f"{PREFIX}task:{task_id}"


def task_hosts(task_id: int) -> str:
    """Return the key of a task's host list."""
    return f"{PREFIX}task:{task_id}:hosts"


def task_executors(task_id: int) -> str:
    """Return the key of the table of worker processes that worked on a task."""
    return f"{PREFIX}task:{task_id}:executors"


def events(task_id: int) -> str:
    """Return the key of a task's stream."""
    return f"{PREFIX}task:{task_id}:events"


def subtasks(task_id: int, series_id: int) -> str:
    """Return the key of the bucket that holds a subtask's record."""
    return f"{PREFIX}task:{task_id}:subtasks:{series_id // BUCKET}"


def logs(task_id: int, series_id: int) -> str:
    """Return the key of the bucket that holds a subtask's logs."""
    return f"{PREFIX}task:{task_id}:logs:{series_id // BUCKET}"


def host(host_id: int) -> str:
    """Return the key of a host."""
    return f"{PREFIX}host:{host_id}"


def busy(host_id: int) -> str:
    """Return the key of a host's lease."""
    return f"{PREFIX}busy:{host_id}"


def errand(errand_id: str) -> str:
    """Return the key of an errand."""
    return f"{PREFIX}errand:{errand_id}"


def errand_answer(errand_id: str) -> str:
    """Return the key of an errand's answer."""
    return f"{PREFIX}errand:{errand_id}:answer"


def host_member(host_id: int) -> str:
    """Return a host's member of the index."""
    return f"{host_id:019d}"


def alive(worker_id: int) -> str:
    """Return the key that exists while a worker beats."""
    return f"{PREFIX}alive:{worker_id}"


def claims(worker_id: int) -> str:
    """Return the key of the claims that a worker holds."""
    return f"{PREFIX}claims:{worker_id}"


def mark(name: str) -> str:
    """Return the key of a mark that lapses."""
    return f"{PREFIX}mark:{name}"


def counter(name: str) -> str:
    """Return the key of a counter that lapses."""
    return f"{PREFIX}count:{name}"

"""What an API server's refusal means, and what cures it. Pure but for a look at our certificate."""

from __future__ import annotations

from icplan.backends.kubernetes.failures import ClusterUnreadable, NotPermitted, RequestFailed
from icplan.backends.kubernetes.transport import Answer, Transport
from icplan.backends.kubernetes.validity import expired
from icplan.core.kubernetes import Collection

BUSY = 429
_IN_TROUBLE = frozenset({500, 502, 503, 504})


def transient(answer: Answer) -> bool:
    """Whether the same request may do better a moment later."""
    return answer.status == BUSY or answer.status in _IN_TROUBLE


def explain(transport: Transport, thing: str, answer: Answer) -> ClusterUnreadable:
    """The error that a refusal is."""
    kubectl = transport.access.kubectl
    words = f": {answer.message}" if answer.message else ""
    match answer.status:
        case 200:
            cause = "what answers there is no Kubernetes API server"
            cure = f"check `server` in the kubeconfig: {kubectl} cluster-info"
        case 401:
            cause = "the API server does not accept our credentials (401)"
            if when := expired(transport.certificate):
                cause += f": the client certificate expired on {when}"
            cure = f"log in anew, until this works: {kubectl} auth whoami"
        case 403:
            return NotPermitted(
                thing,
                place=transport.place,
                cause=f"not permitted{_forbidden(answer.message)}",
                cure="let this user have the role in examples/rbac, or use another context",
            )
        case 429:
            wait = answer.retry_after
            asked = f", and asks to wait {wait:g} s" if wait is not None else ""
            cause = f"the API server is too busy (429){asked}"
            cure = "run the command again later"
        case status if status in _IN_TROUBLE:
            cause = f"the API server is in trouble ({status}){words}"
            cure = f"look at it: {kubectl} get --raw '/readyz?verbose'"
        case status:
            cause = f"the API server answers {status}{words}"
            cure = f"try the same with kubectl: {kubectl} cluster-info"
    return ClusterUnreadable(thing, place=transport.place, cause=cause, cure=cure)


def no_such_kind(transport: Transport, collection: Collection) -> ClusterUnreadable:
    """The error that a kind is not served."""
    kubectl = transport.access.kubectl
    return ClusterUnreadable(
        str(collection),
        place=transport.place,
        cause=f"the API server has no {collection.plural} in {collection.api}",
        cure=f"is it the cluster that you mean, and is Kube-OVN installed there? "
        f"{kubectl} api-resources",
    )


def broken_off(transport: Transport, thing: str, error: RequestFailed) -> ClusterUnreadable:
    """The error that no answer came."""
    return ClusterUnreadable(
        thing,
        place=transport.place,
        cause=f"the API server {error}",
        cure=f"check that it is reached from here: {transport.access.kubectl} get --raw /readyz",
    )


def _forbidden(message: str) -> str:
    """The server's reason, without the object's name before it."""
    _, known, reason = message.partition(" is forbidden: ")
    text = reason if known else message
    return f": {text}" if text else ""

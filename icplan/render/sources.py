"""What could not be seen, by what people call it. Every line follows from the plan alone."""

from __future__ import annotations

from collections.abc import Mapping

from icplan.core.engines import Engine
from icplan.core.io import Database, Source, Unreadable, site_of, source_title


def subjects(unseen: Mapping[Source, Unreadable]) -> list[tuple[str, Unreadable]]:
    """The sources with their causes; what fails with a cluster is named once, as that cluster."""
    clusters = {
        (site_of(source), why)
        for source, why in unseen.items()
        if not isinstance(source, Database | Engine)
    }
    found: dict[tuple[str, str], tuple[str, Unreadable]] = {}
    for source, why in unseen.items():
        site = site_of(source)
        of_cluster = (site, why) in clusters and not why.forbidden
        subject = f"Kubernetes API of {site}" if of_cluster else source_title(source)
        order = source.name if isinstance(source, Database) else subject
        found[site, "" if of_cluster else order] = (subject, why)
    return [found[key] for key in sorted(found)]

#!/bin/bash
# Stand-in for Kube-OVN's leader checker, as it behaves outside of Kubernetes: it ends at once.
echo "leader checker: no Kubernetes here: KUBERNETES_SERVICE_HOST is '$KUBERNETES_SERVICE_HOST'," \
    "POD_NAME is '$POD_NAME'" >&2
exit 1

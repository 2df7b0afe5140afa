"""Hosts with containerd, dockerd and sshd of their own, and a stand-in for Kube-OVN's image.

Each host is a machine made of namespaces: with an address, processes, /etc/ovn, /var/run/ovn and
/var/log/ovn of its own. The documented commands for the interconnection databases work on it word
by word, on several hosts and in several labs at once, and touch nothing of this machine or of its
own engines. Needs root. Everything is made from files of this machine; nothing is fetched.

    with Engines(directory, ["h1", "h2", "h3"]) as engines:
        h1 = engines.hosts["h1"]
        h1.address                     # "198.18.37.2", reachable from here and from the others
        engines.load("kubeovn/kube-ovn:v1.7.1", Behaviour.OLD)
        h1.docker_url                  # "unix:///…/h1/docker.sock"
        h1.docker("run", "--name=ovn-ic-db", …)
        h1.containerd_socket           # for ctr --address
        h1.ctr("tasks", "list", namespace="k8s.io")
        h1.run("ls", "/etc/ovn")       # any command on the host
        ssh = engines.start_ssh()
        ssh.url(h1)                    # "ssh://root@198.18.37.2"
        ssh.environment()              # PATH begins with an ssh that has the keys
"""

from icplan.lab.engines.engines import Engines
from icplan.lab.engines.host import EngineHost
from icplan.lab.engines.image import Behaviour
from icplan.lab.engines.ssh import Ssh

__all__ = ["Behaviour", "EngineHost", "Engines", "Ssh"]

"""What the demo's people have written down for the next time."""

from __future__ import annotations

from collections.abc import Mapping

ARTICLES: tuple[tuple[Mapping[str, str], Mapping[str, str]], ...] = (
    (
        {
            "title": "The web service does not come back after a restart",
            "symptom": "WebappDown fires, and the restart by first aid fails at once: the service prints a line of its "
            "config and `unknown option`. The web service does not answer on any path.",
            "cause": "An option in the config is misspelt, mostly since the last change. A running service does not "
            "notice; the next restart does.",
            "solution": "1. Read which line the failed step of the run names.\n2. Correct it, or take the config from "
            "before the change.\n3. Run `webapp restart` on the node, and see that it answers.\n"
            "4. Say in the change what was wrong, so that the check gets it.",
        },
        {"alertname": "WebappDown"},
    ),
    (
        {
            "title": "Label printer P900 prints nothing",
            "symptom": "A label printer of the type P900 prints nothing, or only empty labels, and nobody can ship.",
            "cause": "Nearly always the sensor under the lid is dusty, and the printer believes that it is open.",
            "solution": "1. Open the lid, clean the small glass at its left with a dry cloth, close it.\n"
            "2. Hold the green button for five seconds: it prints a test label.\n"
            "3. If it does not, use the spare printer on floor 2 and order a sensor.",
        },
        {"product": "P900"},
    ),
    (
        {
            "title": "磁盘快满了：先清理旧日志",
            "symptom": "DiskAlmostFull 告警，文件服务器的磁盘剩余不到十分之一。",
            "cause": "日志没有按周归档，导出文件也一直没有人删除。",
            "solution": "1. 用 `du -x --max-depth=2 /srv` 找出最大的目录。\n2. 把上个月以前的日志移到归档盘。\n"
            "3. 去年的导出文件先问负责人，再删除。\n4. 还不够就扩容，并在工单里写明扩了多少。",
        },
        {"alertname": "DiskAlmostFull"},
    ),
    (
        {
            "title": "A link goes up and down",
            "symptom": "LinkUnstable comes and goes within minutes on the same switch.",
            "cause": "A bent cable or an old optic; seldom the switch itself.",
            "solution": "1. Look at the error counters of the port: do they grow?\n"
            "2. Change the cable, then the optic.\n"
            "3. If both sides are clean, move the link to another port and tell the network team.",
        },
        {"alertname": "LinkUnstable"},
    ),
)
DRAFT: tuple[Mapping[str, str], Mapping[str, str]] = (
    {
        "title": "The replica falls behind at night",
        "symptom": "ReplicaLag between two and four at night, over by itself in the morning.",
        "cause": "The nightly batch writes everything in one transaction.",
    },
    {"alertname": "ReplicaLag"},
)

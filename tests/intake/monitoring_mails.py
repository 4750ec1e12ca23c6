"""Mails as monitoring systems write them by default, each a problem and the recovery of the same."""

from __future__ import annotations

from dataclasses import dataclass, field

NAGIOS = """\
***** Nagios *****

Notification Type: {kind}

Service: Disk /var
Host: db-3
Address: 192.0.2.13
State: {state}

Date/Time: Tue May 7 {time} UTC 2024

Additional Info:

{info}
"""
NAGIOS_HOST = """\
***** Nagios *****

Notification Type: {kind}
Host: db-3
State: {state}
Address: 192.0.2.13
Info: {info}

Date/Time: Tue May 7 {time} UTC 2024
"""
ICINGA = """\
***** Service Monitoring on icinga-1 *****

load on app-2 is {state}!

Info:    {info}

When:    2024-05-07 {time} +0000
Service: load
Host:    app-2
IPv4:    192.0.2.22
"""
ZABBIX = """\
{first} at {time} on 2024.05.07
Problem name: Free space on /data is below 10 %
Host: files-1
Severity: High
{more}Original problem ID: {number}

"""
CHECKMK = """\
Host:     app-2
Alias:    app-2
Address:  192.0.2.22
Service:  CPU utilization
Event:    {event}
Output:   {info}
Perfdata: util={number};80;90

"""
MONIT = """\
{words} Service cache

\tDate:        Tue, 07 May 2024 {time}
\tAction:      {action}
\tHost:        app-2
\tDescription: {info}

Your faithful employee,
Monit
"""
CLOUDWATCH = """\
You are receiving this email because your Amazon CloudWatch Alarm "orders-errors" in the EU (Frankfurt) region has \
entered the {state} state, because "{info}" at "Tuesday 07 May, 2024 {time} UTC".

View this alarm in the AWS Management Console:
https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1

Alarm Details:
- Name:                       orders-errors
- Description:                Orders cannot be placed
- State Change:               {change}
- Reason for State Change:    {info}
- Timestamp:                  Tuesday 07 May, 2024 {time} UTC
- AWS Account:                111122223333
- Alarm Arn:                  arn:aws:cloudwatch:eu-central-1:111122223333:alarm:orders-errors

Threshold:
- The alarm is in the ALARM state when the metric is GreaterThanThreshold 5.0 for at least 1 period.

Monitored Metric:
- MetricNamespace:                     AWS/Lambda
- MetricName:                          Errors
- Dimensions:                          [FunctionName = orders]
- Period:                              60 seconds
"""
ALIYUN = """\
尊敬的用户：

您的云服务器ECS实例{word}，详情如下：

报警规则：ecs-cpu-high
报警级别：{level}
报警状态：{word}
产品：云服务器ECS
实例：i-bp1example0001（web-01）
地域：华东1（杭州）
监控项：CPU使用率
报警条件：连续3次 平均值 >= 85%
当前值：{number}%
报警时间：2024-05-07 {time}
"""
TENCENT = """\
尊敬的腾讯云用户，您好！

您的账号（账号ID：100000000001）下的云监控{word}：

告警内容：云服务器-基础监控 | 磁盘利用率 > 90%
当前数据：{number}%
告警对象：ins-example1（网站）| 地域：广州
告警策略：生产主机
告警等级：严重
触发时间：2024-05-07 {time}（UTC+08:00）
{more}"""
GRAFANA = """\
You have 2 firing alert(s), and 1 resolved alert(s) for alertname=HighLatency

(2) FIRING
-----------

Labels:
    alertname = HighLatency
    instance = shop-1
    job = shop
    severity = critical
Summary: Half of the requests take longer than 2 s
Annotations:
    team = shop

Labels:
    alertname = HighLatency
    instance = shop-2
    job = shop
    severity = critical
Summary: Half of the requests take longer than 3 s

(1) RESOLVED
-------------

Labels: alertname=HighLatency, instance=shop-3, severity=critical
Summary: Half of the requests took longer than 2 s

Go to the Alerts page: https://grafana.example.org/alerting/list
"""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A problem and its recovery: (subject, text) each, and what both are about."""

    rule: str
    problem: tuple[str, str]
    recovery: tuple[str, str]
    labels: dict[str, str]
    severity: str
    sender: str = "monitor@example.org"
    headers: dict[str, tuple[str, ...]] = field(default_factory=dict)


PAIRS = [
    Pair(
        rule="nagios",
        problem=(
            "** PROBLEM Service Alert: db-3/Disk /var is WARNING **",
            NAGIOS.format(kind="PROBLEM", state="WARNING", time="08:01:02", info="DISK WARNING - free: 9 %"),
        ),
        recovery=(
            "** RECOVERY Service Alert: db-3/Disk /var is OK **",
            NAGIOS.format(kind="RECOVERY", state="OK", time="08:41:12", info="DISK OK - free: 40 %"),
        ),
        labels={"monitor": "nagios", "alertname": "Disk /var", "host": "db-3", "service": "Disk /var"},
        severity="warning",
    ),
    Pair(
        rule="nagios",
        problem=(
            "** PROBLEM Host Alert: db-3 is DOWN **",
            NAGIOS_HOST.format(kind="PROBLEM", state="DOWN", time="08:01:02", info="no answer: 100 % loss"),
        ),
        recovery=(
            "** RECOVERY Host Alert: db-3 is UP **",
            NAGIOS_HOST.format(kind="RECOVERY", state="UP", time="09:01:02", info="PING OK"),
        ),
        labels={"monitor": "nagios", "alertname": "Host down", "host": "db-3"},
        severity="critical",
    ),
    Pair(
        rule="icinga2",
        problem=(
            "[PROBLEM] load on app-2 is CRITICAL!",
            ICINGA.format(state="CRITICAL", time="08:01:02", info="CRITICAL - load average: 31"),
        ),
        recovery=(
            "[RECOVERY] load on app-2 is OK!",
            ICINGA.format(state="OK", time="08:31:02", info="OK - load average: 1"),
        ),
        labels={"monitor": "icinga2", "alertname": "load", "host": "app-2", "service": "load"},
        severity="critical",
    ),
    Pair(
        rule="zabbix",
        problem=(
            "Problem: Free space on /data is below 10 %",
            ZABBIX.format(first="Problem started", time="08:01:02", more="Operational data: 9.1 %\n", number=501),
        ),
        recovery=(
            "Resolved in 12m 3s: Free space on /data is below 10 %",
            ZABBIX.format(
                first="Problem has been resolved", time="08:13:05", more="Problem duration: 12m 3s\n", number=501
            ),
        ),
        labels={"monitor": "zabbix", "alertname": "Free space on /data is below 10 %", "host": "files-1"},
        severity="critical",
    ),
    Pair(
        rule="checkmk",
        problem=(
            "Check_MK: app-2/CPU utilization OK -> WARN",
            CHECKMK.format(event="OK -> WARN", info="Total CPU: 85 %", number=85),
        ),
        recovery=(
            "Check_MK: app-2/CPU utilization WARN -> OK",
            CHECKMK.format(event="WARN -> OK", info="Total CPU: 5 %", number=5),
        ),
        labels={
            "monitor": "checkmk", "alertname": "CPU utilization", "host": "app-2", "service": "CPU utilization",
        },
        severity="warning",
    ),
    Pair(
        rule="monit",
        problem=(
            "monit alert --  Connection failed cache",
            MONIT.format(words="Connection failed", time="08:01:02", action="restart", info="no answer on :6379"),
        ),
        recovery=(
            "monit alert --  Connection succeeded cache",
            MONIT.format(words="Connection succeeded", time="08:02:02", action="alert", info="connection succeeded"),
        ),
        labels={
            "monitor": "monit", "alertname": "Connection", "host": "app-2", "service": "cache", "check": "Connection",
        },
        severity="warning",
    ),
    Pair(
        rule="cloudwatch",
        problem=(
            'ALARM: "orders-errors" in EU (Frankfurt)',
            CLOUDWATCH.format(state="ALARM", change="OK -> ALARM", time="08:01:02", info="Threshold Crossed: 9.0"),
        ),
        recovery=(
            'OK: "orders-errors" in EU (Frankfurt)',
            CLOUDWATCH.format(state="OK", change="ALARM -> OK", time="08:11:02", info="Threshold Crossed: 0.0"),
        ),
        labels={
            "monitor": "cloudwatch", "alertname": "orders-errors", "account": "111122223333",
            "region": "EU (Frankfurt)", "namespace": "AWS/Lambda", "metric": "Errors",
            "dimensions": "[FunctionName = orders]",
        },
        severity="critical",
        sender="no-reply@sns.amazonaws.com",
    ),
    Pair(
        rule="aliyun",
        problem=(
            "云服务器ECS-CPU使用率-发生报警(web-01)",
            ALIYUN.format(word="发生报警", level="严重", number=93, time="16:01:02"),
        ),
        recovery=(
            "云服务器ECS-CPU使用率-恢复正常(web-01)",
            ALIYUN.format(word="恢复正常", level="严重", number=12, time="16:11:02"),
        ),
        labels={
            "monitor": "aliyun", "alertname": "ecs-cpu-high", "instance": "i-bp1example0001（web-01）",
            "metric": "CPU使用率", "product": "云服务器ECS", "region": "华东1（杭州）",
        },
        severity="critical",
        sender="monitor@notice.aliyun.com",
    ),
    Pair(
        rule="tencent",
        problem=(
            "【腾讯云】云监控告警触发通知",
            TENCENT.format(word="告警已触发", number=95, time="16:01:02", more=""),
        ),
        recovery=(
            "【腾讯云】云监控告警恢复通知",
            TENCENT.format(
                word="告警已恢复", number=20, time="16:01:02",
                more="恢复时间：2024-05-07 16:21:02（UTC+08:00）\n持续时间：20分钟\n",
            ),
        ),
        labels={
            "monitor": "tencent", "alertname": "生产主机", "instance": "ins-example1（网站）| 地域：广州",
            "condition": "云服务器-基础监控 | 磁盘利用率 > 90%",
        },
        severity="critical",
    ),
]  # fmt: skip

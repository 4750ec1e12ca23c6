"""Sentences as people write them, and what is read of each: too little is asked for, too much wakes people."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from responder.domain.mail_fields import recognised
from responder.domain.mail_sentences import clauses, sentences

SENT_AT = datetime(2026, 11, 20, 18, 0, tzinfo=ZoneInfo("Asia/Shanghai"))

AFFECTED = {
    "300 users cannot log in.": "300",
    "Hello, the VPN is down, about 1,200 users are affected.": "1200",
    "URGENT: 40 users are unable to work!": "40",
    "The shop is down and 300 customers cannot pay with card.": "300",
    "Our 250 employees can't access the mail server.": "250",
    "All 60 users are blocked.": "60",
    "Currently 12 users are affected": "12",
    "More than 1000 users are affected": "1001",
    "This outage affects 40 people.": "40",
    "The fault is affecting over 500 customers now.": "501",
    "Login hangs - 80 users cannot sign in": "80",
    "Since this morning 300 users are unable to log in.": "300",
    "It does not start, 300 users are affected.": "300",
    "Could you please come? 25 people are affected.": "25",
    "Nobody answers the phone. 300 users are affected.": "300",
    "2 users are affected so far.": "2",
    "Only 1 user is affected (me).": "1",
    "About 2000 users are affected": "2000",
    "The outage affects 2000 users": "2000",
    "Outage: 300 users affected": "300",
    "The serial number is SN-1 and 300 users are affected.": "300",
    "We have 45 users who cannot log in.": "45",
    "300 users in Berlin are affected": "300",
    "300+ users can't log in": "300",
    "300 users are without network.": "300",
    "Approximately 300 users report that they cannot log in.": "300",
    "Number of users affected: about 400": "400",
    "Around 150 employees in the Berlin office cannot access the file server since 08:15 today.": "150",
    "Everything is down!!! 5k users affected!!!": "5000",
    "您好，今天上午9点开始，我们部门30多个同事都无法登录OA系统，麻烦尽快处理，谢谢！": "30",
    "服务器宕机了，已经影响到全公司2000多名员工正常办公，请马上处理！！": "2000",
    "收银系统崩溃，3家门店约120名顾客无法付款": "120",
    "系统升级后，300个用户登录不了": "300",
    "系统报错500，300名用户无法登录": "300",
    "We see error 500, 300 users are affected.": "300",
    "Something is wrong: 300 users cannot print": "300",
    "It is not fixed: 300 users are affected by this outage": "300",
    "On 3 November, 12 users are affected": "12",
    "影响 300 名用户": "300",
    "目前影响华东区约200名用户": "200",
    "影响了我们办公室10个人": "10",
    "300名用户反馈无法登录": "300",
    "300用户无法登录": "300",
    "系统宕机，目前影响约200名用户。": "200",
    "影响约2万用户": "20000",
    "150个用户无法登录": "150",
    "超过1000名用户无法访问，请尽快处理！": "1001",
    "大约有50人无法上网": "50",
    "30多人无法打卡": "30",
    "系统不能登录，影响了近300名用户": "300",
    "打印机没反应影响20名员工": "20",
    "3 人受影响，其中 2 名用户无法登录": "3",
    "全国 5000 名用户受到影响": "5000",
    "300名用户无法正常使用": "300",
    "公司有120名员工登录不了": "120",
}

NOT_AFFECTED = (
    "Office 365 users cannot sign in.",
    "Windows 11 users cannot print since this morning.",
    "Office 2024 users cannot print.",
    "On 20 November 2026 users were unable to log in.",
    "On November 20, 2026 users are blocked.",
    "Since 2024 users are blocked after three wrong passwords.",
    "In 2026 users cannot log in any more.",
    "Room 300 users are affected",
    "Ports 80 users cannot reach",
    "2026 users are affected",
    "None of the 5000 users is affected, only the monitor blinks.",
    "Nobody of our 500 users is affected.",
    "1 of 5000 users is affected: me.",
    "only 1 out of 300 users are affected",
    "5% of 2000 users are affected",
    "10,5 users are affected",
    "less than about 300 users are affected",
    "Between 100 and 300 users are affected",
    "100 or 300 users are affected",
    "affects roughly up to 300 users",
    "It affects 300 users at most.",
    "It no longer affects 500 users, only me.",
    "It never affected 500 users.",
    "It does not affect 5000 users.",
    "It doesn't affect 5000 users.",
    "It could affect 5000 users if nobody renews the certificate next month.",
    "This may affect 5000 users.",
    "It is expected to affect 5000 users tomorrow.",
    "If the certificate expires, 5000 users are affected.",
    "When the certificate expires, 5000 users cannot log in.",
    "The maintenance starts tomorrow; 400 users are affected during that time.",
    "Last year an outage hit 5000 customers; today only my screen flickers.",
    "300 users were affected, it is over now.",
    "We helped 5000 customers affected by ransomware. Shall we have a call?",
    "More than 10,000 users are affected by CVE-2026-1234 worldwide.",
    "Are 300 users affected?",
    "Users affected by CVE-2026-1234: read on",
    "More than 10,000 users affected by CVE-2026-1234 worldwide",
    "Office 365: no users affected",
    "So 300 users are affected?",
    "In the drill 300 users are affected.",
    "We paid for 10 users but only 8 users can log in.",
    "The 120 people in accounting cannot wait any longer.",
    "Please order keyboards for our 250 employees.",
    "Office 365 用户无法登录",
    "Win10用户无法打印",
    "微软365用户无法登录",
    "Office 2019、365用户无法登录",
    "Windows 10, 11 users cannot print",
    "Fixed: 5000 users affected",
    "It is not true: 500 users are affected.",
    "I was told 500 users are affected.",
    "The migration affects 500 users and is planned for 2026-12-01.",
    "Planned maintenance: affects 500 users",
    "500 accounts are blocked as agreed",
    "300 users cannot access more than 5 GB.",
    "300 users are affected by the new price.",
    "1000 users cannot get enough of our product!",
    "这次变更影响300名用户，计划周六执行。",
    "本次维护影响约500名用户，时间为周日",
    "之前影响300名用户，现在恢复了",
    "影响300名用户的问题已经解决",
    "担心影响500名用户",
    "300名用户无法登录的情况没有发生",
    "2025用户无法登录",
    "目前不影响5000名用户，只是提示灯闪烁。",
    "没有影响到500个用户，只有我",
    "未影响 500 名用户",
    "并不会影响500名用户",
    "可能影响500名用户",
    "如果不处理，会影响500名用户",
    "预计明天影响500名用户",
    "上次故障影响了500名用户，这次只有我一个人。",
    "2025年的事故影响了5000名客户。这次没事。",
    "我们有300名用户无法确定是否购买。",
    "请问会影响300名用户吗？",
    "影响300名用户吗？",
    "影响 100 到 300 名用户",
    "影响不到300名用户",
    "影响300名用户以下",
    "演练：影响300名用户",
    "影响 3 个门店 20 台设备",
    "今天有5000人次无法刷卡",
    "你们的产品支持 300 人同时使用吗？",
)

OTHERS = {
    "The serial number is AB-1234": {"serial": "AB-1234"},
    "The serial RS232 cable is broken.": {},
    "serial 9600 baud does not work": {},
    "SN: please see picture": {},
    "It fails, S/N: CNGXD12345, firmware 20.1.3.": {"serial": "CNGXD12345", "version": "20.1.3"},
    "序列号：SN1，SN2": {"serial": "SN1,SN2"},
    "Serial: the one on the back": {},
    "型号：见附件": {},
    "型号：见附件\n序列号：如图": {},
    "Our model 2024 printer is dead": {},
    "型号 T-800 的终端正常，T-900 的不正常": {},
    "型号 T-800 的终端无法正常启动": {"model": "T-800"},
    "Version 5.0.1 works fine, the new one does not": {},
    "It worked in version 5.1.0.": {},
    "We run v5.0.2 here.\nMy colleague has v5.0.1 and it works.": {},
    "S/N 4711 is wrong.\nSerial number AB-1001 belongs to another customer.": {},
    "error code 200 OK": {},
    "报错500多次": {},
    "call me on 12/11/2026": {},
    "Call me at 2026-11-20 10:00": {},
    "Call me at +49 30 1234567": {"phone": "+49 30 1234567"},
    "Phone: call my colleague, 0151 2345678 is my old number": {},
    "Tel: mobile 0151 2345678": {"phone": "0151 2345678"},
    "对不起，昨天下午3点没接到您的电话。打印机不转。": {},
    "对不起，昨天下午3点打印机坏了。": {"occurred_at": "2026-11-19 15:00"},
    "从昨天下午3点起打印机没电": {"occurred_at": "2026-11-19 15:00"},
    "昨天下午3点我们一起讨论过。": {},
    "会议昨天下午3点开始": {},
    "Yesterday at 3 pm your broker called me.": {},
    "The contract was signed yesterday at 3 pm, since then no problem.": {},
    "I called yesterday at 5 pm. The fault is still there.": {},
    "It happened on 20.11.2026 at 14:05 during the meeting.": {"occurred_at": "2026-11-20 14:05"},
    "The meeting room screen broke yesterday at 3 pm.": {"occurred_at": "2026-11-19 15:00"},
    "The order page has been failing since yesterday at 3 pm.": {"occurred_at": "2026-11-19 15:00"},
    "电话会议系统昨天下午3点坏了": {"occurred_at": "2026-11-19 15:00"},
    "自动门昨天下午3点出现故障，维护人员还没来": {"occurred_at": "2026-11-19 15:00"},
    "Model: unknown, see label": {},
    "型号：不清楚，可能是X200": {},
    "It broke yesterday at 3 pm.": {"occurred_at": "2026-11-19 15:00"},
    "It has been down since yesterday at 3 pm.": {"occurred_at": "2026-11-19 15:00"},
    "Location: Berlin\nIt beeps.\nKind regards\nTom": {"place": "Berlin"},
    "It beeps.\n\nKind regards,\nTom Miller\nTel: +49 30 1234567\nLocation: Berlin": {"phone": "+49 30 1234567"},
    "打印机响。\n此致\n李雷\n地点：上海\n序列号：SN-1": {"serial": "SN-1"},
}


def found(text: str) -> dict[str, str]:
    return dict(recognised(text, sent_at=SENT_AT).found)


@pytest.mark.parametrize("text", AFFECTED)
def test_who_says_now_and_as_a_fact_how_many_are_hit_is_understood(text: str) -> None:
    assert found(text).get("affected_users") == AFFECTED[text]


@pytest.mark.parametrize("text", NOT_AFFECTED)
def test_numbers_of_what_may_be_was_or_is_denied_are_of_nobody_who_is_hit(text: str) -> None:
    assert "affected_users" not in found(text)


@pytest.mark.parametrize("text", OTHERS)
def test_other_fields_are_read_of_what_is_certainly_them(text: str) -> None:
    assert found(text) == OTHERS[text]


def test_a_label_says_what_words_may_not() -> None:
    assert found("影响用户数：5000")["affected_users"] == "5000"
    assert found("Affected users: 2026")["affected_users"] == "2026"


def test_what_is_only_passed_on_is_read_by_its_labels() -> None:
    text = "Model: X200\nMore than 5000 users are affected, error E12."
    assert recognised(text, sent_at=SENT_AT, is_quoted=True).found == {"model": "X200"}


def test_a_number_ends_no_sentence_and_parts_no_clause() -> None:
    assert sentences("Serial no. 12 fails. Come!") == ["Serial no. 12 fails.", "Come!"]
    assert sentences("坏了。请来！") == ["坏了。", "请来！"]
    assert clauses("It is v1.2, 1,200 users and so on") == ["It is v1.2", "1,200 users", "on"]

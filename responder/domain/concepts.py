"""Concepts: words of the trade that mean the same, in English and Chinese, so that 磁盘已满 finds “disk full”.

A line is `name: words`; several names with `+` say that each of the words means all of them together. English words
stand in any form (they are stemmed), phrases with blanks between. A single Chinese character holds only where it stands
alone: 满 is “full” in 磁盘满了 and not in 满意度. Whoever adds a word measures it afterwards with `responder knowledge
score`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

LINES = """
disk: disk, hard drive, hard disk, hdd, ssd, volume, partition, 磁盘, 硬盘, 分区, 盘
disk + full: no space left on device, 磁盘空间不足, 硬盘空间不足, 磁盘满
memory: memory, ram, 内存
memory + full: out of memory, oom, 内存溢出, 内存不足, 内存耗尽
memory + full + kill: oomkilled, oom killer, oom killed
cpu: cpu, processor, 处理器
usage: usage, utilization, utilisation, 使用率, 占用率, 占用, 利用率
load: load, 负载
restart: restart, reboot, 重启, 重新启动, 重起
start: start, startup, boot, launch, power on, turn on, 启动, 开机, 开启, 拉起, 起不来
stop: stop, halt, 停止, 停机, 停掉
login: login, log in, sign in, logon, log on, 登录, 登陆, 登入, 登不上
logout: logout, log out, sign out, 退出登录, 登出, 注销
log: log, 日志
password: password, passphrase, passwd, 密码, 口令
account: account, 账号, 帐号, 账户, 帐户
session: session, 会话
permission: permission, privilege, access right, 权限
permission + deny: permission denied, access denied, forbidden, 权限不足, 没有权限, 无权限, 拒绝访问
certificate: certificate, cert, 证书
tls: tls, ssl
database: database, db, 数据库
connect: connect, connection, 连接, 连不上
access: access, visit, 访问
open: open, 打开, 打不开
network: network, 网络
internet: internet, 互联网, 外网, 上网
intranet: intranet, internal site, internal page, 内网
port: port, 端口
nic: nic, network card, network adapter, 网卡
packet + lose: packet loss, packetloss, drop packet, 丢包
switch: network switch, 交换机
router: router, 路由器
firewall: firewall, 防火墙
dns: dns, name resolution, resolve name, 域名解析
proxy: proxy, 代理
balancer: load balancer, loadbalancer, 负载均衡
gateway: gateway, 网关
queue: queue, 队列
message: message, 消息
consume: consume, consumer, 消费者, 消费
notify: notification, notify, 通知
mail: mail, email, e-mail, 邮件, 邮箱
sms: sms, text message, 短信
passcode: verification code, one-time password, otp, captcha, 验证码
pay: pay, payment, 支付, 付款, 缴费
debit: debit, deduct, 扣款, 扣费, 扣
refund: refund, 退款
order: order, 订单, 下单
bill: bill, invoice, 账单, 发票
coupon: coupon, voucher, 优惠券
price: price, 价格
stock: stock, inventory, 库存
stock + empty: out of stock, sold out, 缺货, 没货
shop: shop, store, 商城, 商店
goods: goods, item, 商品
search: search, 搜索, 检索, 搜
result: result, 结果
export: export, 导出
import: import, 导入
statement: 报表
upload: upload, 上传
download: download, 下载
attachment: attachment, 附件
file: file, 文件
folder: folder, directory, 目录, 文件夹
picture: picture, photo, 图片, 照片, 图像, 画面
backup: backup, 备份
recover: restore, recover, recovery, 恢复, 还原
replicate: sync, synchronise, synchronize, replicate, replication, 同步, 复制
primary: primary, master, leader, 主库, 主节点, 主机
standby: standby, replica, slave, secondary, 从库, 从节点, 备机, 备库, 备用
failover: failover, fail over, take over, switchover, 切换, 接管
deploy: deploy, deployment, release, roll out, rollout, 发布, 上线, 部署
upgrade: upgrade, update, 升级, 更新
rollback: rollback, roll back, 回滚, 回退
install: install, installation, 安装
configure: config, configure, configuration, setting, 配置, 设置
migrate: migrate, migration, 迁移
index: index, 索引
tablespace: tablespace, 表空间
lock: lock, 锁
transaction: transaction, 事务
query: query, 查询
pool: pool, 池
thread: thread, 线程
process: process, 进程
job: job, task, 任务, 作业
batch: batch, 批量, 批处理, 跑批
schedule: schedule, cron, timer, 定时, 计划任务
night: night, nightly, 夜间, 晚上, 每晚, 夜里, 昨晚
noon: noon, midday, 中午
month-end: month end, 月末, 月底, 月结
daily: daily, every day, 每天, 每日
frequent: frequent, frequently, constantly, again and again, 频繁, 反复, 经常, 不停
temperature: temperature, 温度
temperature + high: overheat, overheating, too hot, 过热, 高温, 发热, 发烫
fan: fan, 风扇
cooling: air conditioning, air conditioner, cooling, 空调, 制冷
power: power, 电源, 供电, 上电
battery: battery, 电池, 电量
charge: charge, 充电, 充满电, 充满
sound: sound, audio, voice, 声音, 音频
microphone: microphone, 麦克风
camera: camera, webcam, 摄像头, 摄像机, 相机
screen: screen, 屏幕, 显示屏, 屏
white + screen: white screen, 白屏
video: video, 视频
meeting: meeting, conference, 会议, 开会
printer: printer, 打印机
print: print, 打印
ink: ink, toner, cartridge, 墨盒, 硒鼓, 墨粉
label: label, 标签
scanner: scanner, 扫描仪, 扫描枪
scan: scan, 扫描, 扫码
swipe: swipe, 刷卡
sensor: sensor, 传感器
motor: motor, 电机, 马达
door: door, 门禁, 门锁, 开门
face: face, 人脸, 刷脸
recognise: recognise, recognize, detect, identify, not found, 识别, 检测, 找不到
lamp: light, lamp, led, indicator, 灯, 指示灯
infrared: infrared, 红外, 红外灯
signal: signal, 信号
bluetooth: bluetooth, 蓝牙
wifi: wifi, wi-fi, wlan, wireless, 无线
position: position, positioning, gps, 定位
map: map, 地图
navigation: navigation, 导航
vehicle: vehicle, car, 车机, 车载, 汽车
firmware: firmware, 固件
driver: driver, 驱动
phone: phone, mobile, smartphone, 手机
app: app, 应用程序, 应用
miniprogram: mini program, 小程序
android: android, 安卓
browser: browser, 浏览器
page: page, 页面, 网页, 界面
website: website, web site, 网站, 官网
encoding: encoding, charset, 编码
array: array, 阵列
capacity: capacity, 容量
clock: clock, 时间, 时钟
vm: virtual machine, vm, 虚拟机
container: container, docker, 容器
node: node, 节点
cluster: cluster, 集群
kubernetes: kubernetes, k8s
image: image, 镜像
pull: pull, 拉取
push: push, 推送
api: api, interface, 接口
cache: cache, 缓存
health: health check, healthcheck, 健康检查
rack: rack, cabinet, 机柜
datacentre: data centre, data center, datacenter, 机房
warehouse: data warehouse, 数据仓库, 数仓
postgresql: postgresql, postgres
"""
# What can be wrong: two troubles with the same thing that share none of these are other troubles.
SYMPTOM_LINES = """
full: full, no space left, no space, out of space, exhausted, used up, 满, 已满, 写满, 占满, 空间不足, 空间满, 用尽,
  用完, 用光, 耗尽
leak: leak, 泄漏, 泄露
grow: grow, increase, rise, climb, 增长, 上涨, 增加, 越来越, 越用越多, 变大
slow: slow, slowly, sluggish, 慢, 缓慢, 卡顿, 迟缓
delay: delay, delayed, late, lag, behind, latency, 延迟, 延时, 滞后, 晚到, 落后
timeout: timeout, time out, timed out, 超时
hang: hang, hung, freeze, frozen, froze, stuck, unresponsive, 卡住, 卡死, 死机, 挂起, 无响应, 没有响应, 没反应,
  没有反应, 无反应
crash: crash, core dump, 崩溃, 闪退, 宕机, 奔溃, 挂掉
kill: kill, 杀死, 杀掉, 杀
deny: deny, refuse, reject, 拒绝
expire: expire, expiry, expiration, 过期, 到期, 失效
disconnect: disconnect, offline, 断开, 断线, 掉线, 断连, 离线, 断网
unreachable: unreachable, not reachable, 不可达, 不通
backlog: backlog, pile up, 堆积, 积压
bounce: bounce, bounced, 退信, 退回
blacklist: blacklist, blocklist, 黑名单
empty: empty, blank, nothing, 为空, 空白, 空列表, 返回空
lose: lose, lost, missing, lack, vanish, disappear, 丢失, 缺失, 缺少, 遗漏, 漏
duplicate: duplicate, twice, double, repeatedly, 重复, 两次, 两份
deadlock: deadlock, 死锁
intermittent: intermittent, now and then, sporadic, sporadically, sometimes, occasionally, unstable, flapping,
  间歇性, 间歇, 偶发, 偶尔, 时断时续, 断断续续, 时好时坏, 不稳定, 有时
high: high, exceed, 过高, 太高
outage: power outage, power failure, power cut, blackout, 断电, 停电
noise: noise, noisy, 噪音, 噪声, 异响
echo: echo, 回声, 回音
dark: black screen, 黑屏, 全黑, 黑的
jam: jam, 卡纸
inaccurate: inaccurate, drift, skew, 不准, 偏差, 漂移, 偏移
garbled: garbled, mojibake, 乱码
degraded: degraded, 降级
wrong: wrong, incorrect, 不对, 不正确
outdated: outdated, stale, obsolete, 旧, 不是最新
drain: drain, run out, run flat, go flat, 没电, 耗电
"""
# They stand in reports of every kind, so that they say little about which trouble it is.
GENERIC_LINES = """
fail: fail, failure, error, fault, problem, issue, trouble, abnormal, exception, 失败, 报错, 出错, 错误, 异常, 故障,
  问题, 坏
cannot: cannot, unable, impossible, 无法, 不能, 不了, 没法
show: show, display, report, say, print out, 显示, 提示, 反映, 反馈, 发现, 看到, 查看, 返回
user: user, customer, client, people, 用户, 客户, 同事, 员工
server: server, host, machine, 服务器, 机器
service: service, 服务
system: system, 系统
alert: alert, alarm, warning, 告警, 报警, 警告
request: request, call, 请求, 调用
function: function, feature, 功能
data: data, 数据
need: need, want, 需要
device: device, equipment, unit, 设备
after: after, since, when, while, 之后, 以后, 后
"""


def lines(text: str) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """What a table says, line by line: the names, and the words that mean them."""
    for line in text.strip().replace(",\n  ", ", ").splitlines():
        names, words = line.split(": ", 1)
        yield tuple(names.split(" + ")), tuple(words.split(", "))


def meanings() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every word with the names of what it means."""
    for table in (LINES, SYMPTOM_LINES, GENERIC_LINES):
        for names, words in lines(table):
            yield from ((word, names) for word in words)


@cache
def symptoms() -> frozenset[str]:
    """The names of the concepts that say what is wrong."""
    return frozenset(name for names, _ in lines(SYMPTOM_LINES) for name in names)


@cache
def generic() -> frozenset[str]:
    """The names of the concepts that say little."""
    return frozenset(name for names, _ in lines(GENERIC_LINES) for name in names)

"""What may stand after and before a number: units, classifiers, ordinals, times of day, eras, currencies."""

UNITS = {  # after any number, "三公里" too
    "length": "公里 千米 米 分米 厘米 毫米 微米 纳米 海里 英里 英尺 英寸 光年",
    "area": "平方公里 平方千米 平方米 平方厘米 平方毫米 平米 公顷 亩 顷",
    "volume": "立方米 立方厘米 毫升 加仑 升",
    "weight": "公斤 千克 毫克 微克 克拉 英镑 盎司 吨 斤 磅",
    "time": "周年 年 个月 季度 星期 个星期 小时 个小时 刻钟 分钟 秒钟 毫秒 微秒 秒 周岁 岁 天 日 昼夜",
    "money": "元 美元 欧元 日元 韩元 港元 港币 卢布 卢比 法郎 元人民币 块钱 毛钱",
    "physics": (
        "摄氏度 华氏度 ℃ °C ℉ °F 千瓦时 千瓦 兆瓦 瓦特 伏特 安培 欧姆 赫兹 兆赫 马力 分贝 焦耳 千卡 大卡"
    ),
    "data": "字节 千字节 兆字节 比特 像素",
    "share": "% ％ ‰ 个百分点 百分点 倍",
}
CLASSIFIERS = (  # after digits and after two numerals or more, "120名" and "三十名", not "一名"
    "个 名 位 人次 人 户 家 条 件 项 次 种 台 辆 架 艘 只 头 匹 颗 棵 株 张 本 册 部 卷 篇 首 幅 座 栋 幢 "
    "层 间 套 双 对 组 批 支 枝 把 块 片 段 届 期 场 局 轮 遍 号 页 行 列 章 节 句 字 份 门 所 队 班 级 步 "
    "代 里 度 分 尺 寸 丈 文 贯 石 斗 骑 点 克 周 帧"
)
LATIN = (  # after digits; one of several letters with a space too
    "km cm mm μm um nm m kg mg g t mL ml L kW MW GW W kWh mAh kV mV mA Hz kHz MHz GHz ms us ns min h s KB "
    "MB GB TB PB KiB MiB GiB K M G kb Mb Gb bps kbps Mbps Gbps px pt em rem dpi fps rpm dB bit bits"
)
ORDERED = (  # after "第" and a number
    "条 款 项 章 节 编 届 次 名 期 卷 回 集 页 号 位 代 版 季度 季 轮 批 部 册 场 天 年 周 世纪 步 层 大 "
    "组 类 行 列 段 篇 师 军 团 营 连 阶段 任 世 日 部分 产业 人 人称"
)
PARTS_OF_DAY = "凌晨 清晨 早晨 早上 今早 上午 中午 下午 傍晚 晚上 今晚 昨晚 夜间 深夜 午夜 夜里"
CURRENCIES = "¥ ￥ € £"  # "$" is a rule of its own: "$1" is a variable
ERAS = (
    "建武 永平 建安 黄初 太和 黄龙 赤乌 泰始 太康 永嘉 建元 太元 元嘉 永明 天监 普通 大同 天保 武定 开皇 "
    "仁寿 大业 武德 贞观 永徽 显庆 麟德 仪凤 天授 神龙 景龙 开元 天宝 至德 乾元 大历 建中 贞元 元和 长庆 "
    "大和 开成 会昌 大中 咸通 乾符 光启 天复 开平 同光 天成 天福 显德 建隆 乾德 开宝 太平兴国 雍熙 端拱 "
    "淳化 至道 咸平 景德 大中祥符 天禧 天圣 明道 景祐 宝元 康定 庆历 皇祐 至和 嘉祐 治平 熙宁 元丰 元祐 "
    "绍圣 元符 崇宁 大观 政和 宣和 靖康 建炎 绍兴 隆兴 乾道 淳熙 绍熙 庆元 嘉泰 开禧 嘉定 宝庆 绍定 端平 "
    "嘉熙 淳祐 宝祐 景定 咸淳 德祐 统和 重熙 咸雍 天会 皇统 天德 正隆 大定 明昌 承安 泰和 贞祐 兴定 正大 "
    "中统 至元 元贞 大德 至大 皇庆 延祐 至治 泰定 天历 至顺 至正 洪武 建文 永乐 洪熙 宣德 正统 景泰 天顺 "
    "成化 弘治 正德 嘉靖 隆庆 万历 泰昌 天启 崇祯 天命 天聪 崇德 顺治 康熙 雍正 乾隆 嘉庆 道光 咸丰 同治 "
    "光绪 宣统 民国 昭和 平成 令和"
)

"""Wording of findings about other regions: their anchors and lists, agreements, and whether a license counts here."""

ZH: dict[str, str] = {
    "REGION_UNKNOWN": "没有已采纳的区域为该证照的颁发机构担保。",
    "TRUST_LIST_STALE": "区域 {region} 的第 {number} 号信任列表已于 {until} 到期，距今 {age}。",
    "NO_AGREEMENT": "没有约定接受区域 {region} 的 {type}。",
    "AGREEMENT_NOT_YET": "互认协议 {agreement} 自 {moment} 起生效。",
    "AGREEMENT_OVER": "互认协议 {agreement} 已于 {moment} 终止。",
    "AGREEMENT_REVOKED": "互认协议 {agreement} 已被撤销。",
    "AGREEMENT_NOT_COUNTERSIGNED": "互认协议 {agreement} 没有颁发方区域 {region} 的会签。",
    "AGREEMENT_NOT_APPROVED": "互认协议 {agreement} 尚未经第二人批准。",
    "ISSUER_OUTSIDE_REMIT": "按区域 {region} 的信任列表，颁发机构 {issuer} 无权颁发该证照：{reason}。",
    "ISSUER_LEVEL_LOW": "颁发机构 {issuer} 的层级（{level}）低于协议要求（{wanted}）。",
    "ISSUED_OUTSIDE_AGREEMENT": "颁发日期（{issued}）不在协议接受的范围内（{since} 至 {until}）。",
    "TYPE_NARROWED": "该类型在本地只在一定范围内有效：{reason}。",
    "CARRIER_NOT_ACCEPTED": "协议不接受这种载体（{carrier}）。",
    "ASSURANCE_LOW": "协议要求以时间戳证明签章时间，该文件没有。",
    "RECOGNITION_NOT_VALID": "不能确认为真实的证照不予互认：{reason}。",
    "RECOGNITION_STANDING": "证照当前的效力（{standing}）不在协议接受之列。",
    "RECOGNITION_STANDING_UNKNOWN": "证照当前的效力未能查明，不能确定是否互认。",
    "RECOGNITION_STANDING_OLD": "状态列表制作于 {age} 前，协议要求不早于 {limit} 前。",
    "RECOGNITION_KNOWLEDGE": (
        "对区域 {region} 的了解：第 {number} 号信任列表制作于 {issued}，{confirmed} 前确认为最新；状态列表：{reason}。"
    ),
    "FIELD_UNMAPPED": "无法由该证照得出本地类型的字段：{fields}（{reason}）。",
    "FIELD_VALUE_UNMAPPED": "字段 {field} 的值“{value}”没有对应的本地值。",
    "FIELD_DROPPED": "该证照的以下字段在本地类型中没有对应，未予采用：{fields}。",
    "FIELD_NAMES_DIFFER": "字段名称按协议换成了本地名称：{fields}。",
    "SEAL_STRUCTURE_OLD": "签章采用旧版印章结构（第 {version} 版），按协议予以承认。",
}

EN: dict[str, str] = {
    "REGION_UNKNOWN": "No region that was adopted vouches for the issuer of this license.",
    "TRUST_LIST_STALE": "Trust list {number} of region {region} ran out at {until}, {age} before.",
    "NO_AGREEMENT": "No agreement accepts {type} of region {region}.",
    "AGREEMENT_NOT_YET": "Agreement {agreement} holds from {moment} on.",
    "AGREEMENT_OVER": "Agreement {agreement} ended at {moment}.",
    "AGREEMENT_REVOKED": "Agreement {agreement} was revoked.",
    "AGREEMENT_NOT_COUNTERSIGNED": "Agreement {agreement} is not countersigned by the issuing region {region}.",
    "AGREEMENT_NOT_APPROVED": "Agreement {agreement} waits for the approval of a second person.",
    "ISSUER_OUTSIDE_REMIT": "By the trust list of region {region}, issuer {issuer} may not issue this: {reason}.",
    "ISSUER_LEVEL_LOW": "The level of issuer {issuer} ({level}) is lower than the agreement demands ({wanted}).",
    "ISSUED_OUTSIDE_AGREEMENT": "The day of issue ({issued}) is not in the span of the agreement ({since} to {until}).",
    "TYPE_NARROWED": "The type counts here within limits only: {reason}.",
    "CARRIER_NOT_ACCEPTED": "The agreement does not accept this carrier ({carrier}).",
    "ASSURANCE_LOW": "The agreement demands a timestamp that proves when the seal was applied; there is none.",
    "RECOGNITION_NOT_VALID": "What is not shown to be a genuine license is not recognized: {reason}.",
    "RECOGNITION_STANDING": "The license's standing ({standing}) is not among those that the agreement accepts.",
    "RECOGNITION_STANDING_UNKNOWN": "The license's standing is not known, so neither is whether it counts here.",
    "RECOGNITION_STANDING_OLD": "The status list was made {age} before; the agreement demands at most {limit}.",
    "RECOGNITION_KNOWLEDGE": (
        "What is known of region {region}: trust list {number} made {issued}, seen to be the newest {confirmed} before;"
        " status list: {reason}."
    ),
    "FIELD_UNMAPPED": "The license yields no value for fields of the type here: {fields} ({reason}).",
    "FIELD_VALUE_UNMAPPED": "The value “{value}” of field {field} has no equivalent here.",
    "FIELD_DROPPED": "Fields of the license that the type here does not have were left out: {fields}.",
    "FIELD_NAMES_DIFFER": "Fields were given their names here by the agreement: {fields}.",
    "SEAL_STRUCTURE_OLD": "The seal has an old structure (version {version}), which is recognized.",
}

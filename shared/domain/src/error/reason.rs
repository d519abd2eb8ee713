//! Every reason for which a call can fail, as one table.

use super::Lang;

macro_rules! reasons {
    ($($name:ident $code:literal $status:literal $zh:literal $en:literal => $remedy_zh:literal $remedy_en:literal;)*) => {
        /// Why a call failed. The variant's documentation is its English message.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason {
            $(#[doc = $en] $name,)*
        }

        impl Reason {
            /// Every reason, in the order of the catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            fn row(self) -> (&'static str, u16, [&'static str; 2], [&'static str; 2]) {
                match self {
                    $(Self::$name => ($code, $status, [$zh, $en], [$remedy_zh, $remedy_en]),)*
                }
            }
        }
    };
}

#[rustfmt::skip]
reasons! {
    // Parameters and bodies
    ParameterMissing "parameter_missing" 400 "缺少必填参数" "a required parameter is missing" => "补充参数后重新提交" "add the parameter and send again";
    ParameterUnknown "parameter_unknown" 400 "存在未定义的参数" "a parameter is not defined for this interface" => "对照接口文档删除多余参数" "remove it, see the interface's documentation";
    ParameterRepeated "parameter_repeated" 400 "参数重复" "a parameter is given more than once" => "每个参数只提交一次" "give each parameter once";
    ParameterTooLong "parameter_too_long" 400 "参数过长" "a parameter is too long" => "对照接口文档核对参数长度" "check its length in the documentation";
    ParameterEmpty "parameter_empty" 400 "参数值为空" "a parameter has no value" => "填写参数值，或删除该参数" "give it a value, or leave it out";
    ParameterNotText "parameter_not_text" 400 "JSON 参数应为字符串或整数" "a JSON parameter is neither text nor an integer" => "以字符串提交该参数" "send the parameter as text";
    TooManyParameters "too_many_parameters" 400 "参数过多" "there are too many parameters" => "对照接口文档删除多余参数" "remove those that the documentation does not name";
    QueryTooLong "query_too_long" 414 "查询串过长" "the query is too long" => "对照接口文档核对参数，或改用 POST" "check the parameters, or use POST";
    BadPercentEncoding "bad_percent_encoding" 400 "百分号编码错误" "percent-encoding is broken" => "% 之后应为两位十六进制数字" "write % followed by two hexadecimal digits";
    ParameterNotApplicable "parameter_not_applicable" 400 "参数与其他参数不能同时使用" "a parameter does not go together with another" => "对照接口文档保留其中之一" "keep one of them, see the documentation";
    ParameterMalformed "parameter_malformed" 400 "参数格式错误" "a parameter is malformed" => "对照接口文档修正参数" "correct it, see the documentation";
    CursorMismatch "cursor_mismatch" 400 "cursor 与本次查询不符" "the cursor is one of another query" => "按返回该 next 的查询条件翻页，或去掉 cursor 从头查询" "repeat the query that returned it, or leave the cursor out to begin anew";
    EidMalformed "eid_malformed" 400 "EID 无效" "the EID is not valid" => "核对芯片上的 32 位 EID" "check the 32 digits of the chip's EID";
    IccidMalformed "iccid_malformed" 400 "ICCID 无效" "the ICCID is not valid" => "核对 19 或 20 位 ICCID" "check the 19 or 20 characters of the ICCID";
    MsisdnMalformed "msisdn_malformed" 400 "号码无效" "the number is not valid" => "核对 13 位物联网号码" "check the 13 digits of the IoT number";
    ImsiMalformed "imsi_malformed" 400 "IMSI 无效" "the IMSI is not valid" => "核对 14 或 15 位 IMSI" "check the 14 or 15 digits of the IMSI";
    ProvinceMalformed "province_malformed" 400 "省份编码无效" "the province code is not valid" => "使用 GB/T 2260 省级代码" "use a province code of GB/T 2260";
    WriteTypeMalformed "write_type_malformed" 400 "写卡方式无效" "the way of writing is not valid" => "write_type 取 0 或 1" "set write_type to 0 or 1";
    KeyMalformed "key_malformed" 400 "密钥材料无效" "key material is not valid" => "核对传输密钥名称与 RFC 3394 封装" "check the transport key's name and the RFC 3394 wrapping";
    NumberRounded "number_rounded" 400 "号码被表格软件取整" "a spreadsheet rounded the number" => "将该列设为文本格式后重新填写完整号码；以零结尾的号码核实无误后，可带 accept_zeros=true 导入" "format the column as text and enter the whole number again; a number that really ends in zeros is taken with accept_zeros=true";
    BadJson "bad_json" 400 "请求体不是有效的 JSON" "the body is not valid JSON" => "修正请求体" "correct the body";
    NotAnObject "not_an_object" 400 "JSON 不是对象" "the JSON is not an object" => "提交一个由 { } 括起的 JSON 对象" "send one JSON object, in braces";
    BadUtf8 "bad_utf8" 400 "请求不是有效的 UTF-8" "the request is not valid UTF-8" => "以 UTF-8 编码提交" "send it as UTF-8";
    BadCsv "bad_csv" 400 "CSV 文件无法解析" "the CSV file cannot be read" => "核对表头、分隔符与编码" "check header, separators and encoding";
    BodyTooLarge "body_too_large" 413 "请求体过大" "the body is too large" => "分批提交" "send it in parts";
    BodyTooSlow "body_too_slow" 408 "请求体接收超时" "the body did not arrive in time" => "检查网络后重试" "check the network and try again";
    BodyBroken "body_broken" 400 "请求体接收中断" "the body did not arrive whole" => "检查网络后重试" "check the network and try again";
    BodyUnexpected "body_unexpected" 400 "该请求方式不应带请求体" "this method takes no body" => "将参数放入查询串，或改用 POST" "put the parameters into the query, or use POST";
    MediaTypeUnsupported "media_type_unsupported" 415 "请求体的 Content-Type 不支持" "the body's Content-Type is not supported" => "对照接口文档设置 Content-Type" "set Content-Type as documented";
    HeaderForged "header_forged" 400 "存在只能由平台设置的请求头" "the request carries a header that only the platform sets" => "删除所有 spin- 开头的请求头" "remove every header that starts with spin-";
    AddressUnknown "address_unknown" 400 "无法确定来源 IP" "the calling address cannot be established" => "核对反向代理的 X-Forwarded-For 配置" "check how the reverse proxy sets X-Forwarded-For";
    RouteUnknown "route_unknown" 404 "接口不存在" "there is no such interface" => "核对接口地址" "check the address";
    MethodNotAllowed "method_not_allowed" 405 "请求方式不支持" "the method is not supported here" => "对照接口文档修改请求方式" "use the documented method";
    // Authentication
    TokenMissing "token_missing" 401 "缺少 TOKEN" "no token is given" => "通过 /v1/token 获取 TOKEN 后调用" "take a token from /v1/token";
    TokenConflict "token_conflict" 400 "提交了多个不同的 TOKEN" "more than one token is given" => "仅在参数或 Authorization 其中一处提交" "send it as a parameter or as Authorization, not both";
    TokenInvalid "token_invalid" 401 "TOKEN 无效" "the token is not valid" => "重新获取 TOKEN 并核对填写" "take a new token and check how it is sent";
    TokenExpired "token_expired" 401 "TOKEN 已过期" "the token has expired" => "重新获取 TOKEN" "take a new token";
    ClientUnknownOrSecretWrong "client_unknown_or_secret_wrong" 401 "业务需求方标识或密钥错误" "client_id or client_secret is wrong" => "核对 client_id 与 client_secret" "check client_id and client_secret";
    CredentialWrong "credential_wrong" 401 "内部凭据错误" "the internal credential is wrong" => "核对服务间凭据配置" "check the configured credential";
    CredentialEnded "credential_ended" 401 "会话或 API 密钥已失效" "the session or API key has ended" => "重新登录，或使用有效的 API 密钥" "sign in again, or use a valid API key";
    SignInRefused "sign_in_refused" 401 "登录名、密码或验证码错误，或账号不可用" "sign-in name, password or one-time code is wrong, or the account cannot be used" => "核对后重试；验证码每个只能用一次；仍不成功请联系系统管理员" "check them and try again, each one-time code is taken once; if it persists contact an administrator";
    EnrolmentCodeWrong "enrolment_code_wrong" 401 "启用码错误、已使用或已过期" "the enrolment code is wrong, used or expired" => "核对启用码，或请系统管理员重新生成" "check the code, or ask an administrator for another one";
    RightMissing "right_missing" 403 "账号没有该操作权限" "the account does not have the right to this" => "请系统管理员授予具有该权限的角色" "ask an administrator for a role with this right";
    RightNotHeld "right_not_held" 403 "不能授予或变更自己没有的权限" "a right that one does not have oneself can be neither given nor changed" => "由具有该权限的系统管理员操作" "have an administrator do it who has the right";
    SecondPersonNeeded "second_person_needed" 409 "该操作须由第二人执行，已登记，标识见详情" "this needs a second person; it is kept under the identifier that is given" => "请另一名具有该权限的人员以请求头 x-approval 提交该标识与相同的请求" "have another person with this right send the same call with the identifier as the header x-approval";
    UnknownApproval "unknown_approval" 404 "没有该操作的此项登记" "nothing is kept under this identifier for this operation" => "核对标识；登记见 /admin/v1/approvals" "check the identifier; /admin/v1/approvals lists what is kept";
    OwnApproval "own_approval" 409 "须由另一人执行" "another person must do it" => "请另一名具有该权限的人员提交" "have another person with this right send it";
    ApprovalDiffers "approval_differs" 409 "请求与登记的不同" "the call is not the one that was asked for" => "与提出人核对后提交相同的请求" "compare with whoever asked, and send the same call";
    ApprovalEarly "approval_early" 409 "尚未到可执行的时间" "it is too early" => "在所示时间之后提交" "send it after the time that is given";
    ApprovalEnded "approval_ended" 409 "该登记已执行、已拒绝或已过期" "it was carried out or refused already, or its time is over" => "由提出人重新提交请求" "have whoever asked send the call anew";
    SessionNeeded "session_needed" 403 "该操作须由登录的人员进行" "this needs a person who has signed in" => "登录后以会话凭据调用" "sign in and call with the session";
    ClientDisabled "client_disabled" 403 "账号已停用" "the client is disabled" => "联系系统管理员" "contact the administrator";
    IpNotAllowed "ip_not_allowed" 403 "来源 IP 未报白" "the calling address is not on the allow-list" => "将服务端公网 IP 报白后重试" "have the server's public address put on the list";
    PermissionMissing "permission_missing" 403 "未开通该接口权限" "the client may not call this interface" => "联系系统管理员开通权限" "ask the administrator to open it";
    RateLimited "rate_limited" 429 "调用过于频繁" "too many calls" => "按 Retry-After 等待后重试" "wait as Retry-After says";
    // Domain
    UnknownClient "unknown_client" 404 "业务需求方不存在" "there is no such client" => "核对 client_id" "check the client_id";
    ClientClosed "client_closed" 409 "业务需求方已销户" "the client is closed" => "如需继续使用，请创建新的业务需求方" "create another client if it is needed again";
    ClientFrozen "client_frozen" 409 "业务需求方已冻结" "the client is frozen" => "核实后用 clients:unfreeze 解除冻结" "look into it, then unfreeze it with clients:unfreeze";
    ClientNotFrozen "client_not_frozen" 409 "业务需求方未冻结" "the client is not frozen" => "查询业务需求方的状态" "look at the client's state";
    UnknownAccount "unknown_account" 404 "账号不存在" "there is no such account" => "核对 account_id" "check the account_id";
    UnknownRole "unknown_role" 404 "角色不存在" "there is no such role" => "核对角色代码" "check the role's code";
    UnknownApiKey "unknown_api_key" 404 "API 密钥不存在或已失效" "there is no such valid API key" => "核对 key_id" "check the key_id";
    SignInNameTaken "sign_in_name_taken" 409 "登录名已被使用" "the sign-in name is taken" => "更换登录名" "choose another sign-in name";
    OwnAccount "own_account" 409 "不能变更自己的角色、停用自己或为自己生成启用码" "nobody changes his own roles, disables himself or makes an enrolment code for himself" => "由另一名系统管理员操作" "have another administrator do it";
    LastAdministrator "last_administrator" 409 "这是最后一名可用的系统管理员" "this is the last system administrator who can sign in" => "先启用另一名系统管理员" "have another system administrator sign in first";
    RoleExists "role_exists" 409 "角色代码已存在" "a role of this code exists" => "更换角色代码" "choose another code";
    RoleInUse "role_in_use" 409 "角色正在使用" "the role is in use" => "先从所有账号移除该角色" "take it from all accounts first";
    TooMany "too_many" 409 "数量已达上限" "there are as many as there may be" => "先删除或吊销不再使用的" "delete or revoke those that are not used first";
    UnknownChip "unknown_chip" 404 "EID 不存在" "there is no such chip" => "核对 EID 及其归属" "check the EID and whose it is";
    UnknownTask "unknown_task" 404 "任务不存在" "there is no such task" => "核对 task_id" "check the task_id";
    UnknownCallback "unknown_callback" 404 "回调记录不存在" "there is no such callback" => "核对回调标识" "check the callback's identifier";
    UnknownReceiver "unknown_receiver" 404 "接收方不存在" "there is no such receiver" => "核对接收方标识" "check the receiver's identifier";
    UnknownIncident "unknown_incident" 404 "异常记录不存在" "there is no such incident" => "核对异常标识" "check the incident's identifier";
    IncidentSettled "incident_settled" 409 "异常已处理完成" "the incident is settled already" => "如再次发生，请重新登记" "if it happens again open a new one";
    IncidentOpen "incident_open" 409 "异常尚未处理完成" "the incident is not settled yet" => "处理完成并关闭后再提交异常处理报告" "settle it before giving the final report";
    IncidentNotSevere "incident_not_severe" 409 "该异常不是严重异常，无须上报" "the incident is not severe and needs no report" => "需上报时先升级为严重异常" "make it severe first if it has to be reported";
    NoAddress "no_address" 409 "未登记接收地址" "no address is entered" => "先登记接收地址" "enter an address first";
    AlreadyWritten "already_written" 409 "运营号已被写入，无法重复申请" "the card is already written" => "查询卡片状态；更换运营号须按特殊流程上报" "query the card; changing its number needs the special procedure";
    ApplicationPending "application_pending" 409 "已有参数不同的写卡申请在执行" "another application with other parameters is open" => "等待其完成，或在待开机上电时取消后重新申请" "wait for it, or cancel it while it waits for power-up";
    TemporaryNumberExpired "temporary_number_expired" 409 "临时号码已过测试期" "the temporary number's test period is over" => "由运营方重新配置有效临时号码" "have the operator configure a valid temporary number";
    AllowanceExhausted "allowance_exhausted" 403 "测试流量不足" "the test allowance is not sufficient" => "由运营方核实测试流量，必要时补充" "have the operator check the allowance";
    ProvinceWithoutNumber "province_without_number" 409 "无可用省份资源" "the province has no number left" => "更换省份重新申请，或等待运营方补充资源" "choose another province, or wait for the operator";
    ProvinceNotServed "province_not_served" 409 "该省份未开放写卡" "the province is not served" => "更换省份重新申请；可用省份见 /v1/write/provinces" "choose another province; /v1/write/provinces lists those that have numbers";
    ChipFaulty "chip_faulty" 403 "芯片故障" "the chip is registered as faulty" => "由设备方案商检测并更换芯片" "have the vendor examine and replace the chip";
    ChipBlocked "chip_blocked" 403 "芯片已锁定" "the chip is blocked: its EID or keys are in use twice" => "由管理员核实并处理 eid_duplicated 异常后重试" "have an administrator settle the incident eid_duplicated, then try again";
    SessionRunning "session_running" 409 "芯片正在会话中" "a session of the chip is running" => "等待会话结束后重试" "wait until the session has ended, then try again";
    TaskOpen "task_open" 409 "芯片有未结束的写卡任务" "the chip has an open task" => "等待任务结束，或先终止任务" "wait until the task has ended, or end it first";
    UnknownNumber "unknown_number" 404 "码号不存在或未划拨" "there is no such number, or it was not allotted" => "核对 ICCID 与号码，或联系运营方划拨" "check ICCID and number, or ask the operator to allot it";
    NumberMismatch "number_mismatch" 409 "ICCID 与号码不对应" "ICCID and number do not belong together" => "核对数据卡的 ICCID 与号码" "check the ICCID and number of the data card";
    NumberTaken "number_taken" 409 "码号已被占用或写入" "the number is reserved or written already" => "更换数据卡后重新申请" "choose another data card";
    NumberSuspended "number_suspended" 409 "码号已停机" "the number is suspended" => "联系运营方恢复码号" "ask the operator to resume it";
    WrongState "wrong_state" 403 "卡片当前状态不支持该操作" "the card's state does not permit this" => "查询卡片状态" "query the card's status";
    NumberInUse "number_in_use" 409 "码号当前状态不支持该操作" "the number's state does not permit this" => "查询码号状态" "query the number's status";
    SecretsInRotation "secrets_in_rotation" 409 "已有两个密钥同时有效" "two secrets are live already" => "等待旧密钥到期，或先将其吊销" "wait until the older one expires, or revoke it first";
    UnknownSecret "unknown_secret" 404 "密钥不存在或已失效" "there is no such live secret" => "核对密钥序号" "check the generation of the secret";
    RecordConflict "record_conflict" 409 "同一时点已有内容不同的记录" "another record of the same moment has other content" => "核对记录的 as_of 与内容" "check the record's as_of and content";
    UnknownImport "unknown_import" 404 "导入记录不存在" "there is no such import" => "核对 import_id" "check the import_id";
    ImportConflict "import_conflict" 409 "已有内容不同的记录" "a record with other content exists" => "核对该行与已导入的数据" "compare the row with what was imported before";
    UnknownBatch "unknown_batch" 404 "批量任务不存在" "there is no such batch" => "核对 batch_id" "check the batch_id";
    BatchKeyTaken "batch_key_taken" 409 "该 key 已用于内容不同的批量任务" "the key belongs to a batch of other content" => "同一批量任务以原内容重试；新的批量任务使用新的 key" "repeat a batch with what it was sent with, and give a new batch a new key";
    BatchState "batch_state" 409 "批量任务当前状态不支持该操作" "the state of the batch does not permit this" => "查询批量任务的状态" "query the state of the batch";
    UnknownToGateways "unknown_to_gateways" 409 "没有网关具有该卡片模板或主密钥版本" "no gateway has this card profile or version of the master key" => "核对该值；需新增时先在网关上配置卡片模板或主密钥，网关公布后再提交" "check the value; a new profile or master key is set up at the gateways first: send again once they announced it";
    // Gateway
    UnknownSession "unknown_session" 404 "会话不存在" "there is no such session" => "重新建立会话" "open a new session";
    SessionSuperseded "session_superseded" 409 "会话已被新会话取代" "a newer session has replaced this one" => "结束该会话" "end this session";
    SessionClosed "session_closed" 409 "会话已结束" "the session has ended" => "重新建立会话" "open a new session";
    SessionConflict "session_conflict" 409 "会话标识已被其他芯片使用" "the session identifier belongs to another chip" => "使用新的会话标识" "use a new session identifier";
    ReportOutOfOrder "report_out_of_order" 409 "上报与会话或任务的状态不符" "the report does not fit the state of session or task" => "结束该会话，等待卡片再次上电" "end the session and wait for the next power-up";
    ReportMalformed "report_malformed" 400 "上报内容无效" "the report is not valid" => "核对网关版本" "check the gateway's version";
    // The platform itself
    Conflict "conflict" 409 "数据已被并发修改" "the data was changed at the same time" => "重新提交" "send again";
    Internal "internal" 500 "服务器内部错误" "internal error" => "稍后重试；持续出现请联系运营方" "try again later; if it persists contact the operator";
    Unavailable "unavailable" 503 "服务暂不可用" "the service is not available now" => "稍后重试" "try again later";
    GuardMissing "guard_missing" 503 "平台未拦截特殊用途网络，不发送回调" "the host does not block special-purpose networks, so nothing is sent to receivers" => "按 runtime-config/local.toml 配置 block_networks；运行日志给出未拦截的地址" "configure block_networks as in runtime-config/local.toml; the operator's log names an address that is open";
    SchemaBehind "schema_behind" 503 "数据库结构未升级" "the database schema is behind the program" => "按运行日志中的原因处理，使数据库可以升级" "remove the cause that the operator's log names, so that the database can be migrated";
    SchemaAhead "schema_ahead" 503 "数据库已由更新版本的程序升级，本程序不能使用" "the database was migrated by a newer program and cannot be used by this one" => "运行该版本或更新的程序，或恢复升级前的备份" "run that program or a newer one, or restore a backup from before the upgrade";
    ClockDiffers "clock_differs" 409 "所填时间与平台时钟相差超过 10 分钟" "the time that was given differs from the platform's clock by more than 10 minutes" => "核对平台主机的时钟并校正，再按实际时间提交" "compare and correct the clock of the platform's host, then send the present time";
    KeysWrong "keys_wrong" 503 "数据库由其他密钥建立，本程序不能使用" "the database was made with other keys and cannot be used by this program" => "按运行日志中的密钥名称核对配置，恢复建库时的密钥" "compare the key that the operator's log names with the configuration, and restore the key of this database";
}

impl Reason {
    /// Stable name, for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.row().0
    }

    /// The reason named `code`.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code)
    }

    /// HTTP status, equal to `code` in the body (§7.1.1).
    #[must_use]
    pub fn status(self) -> u16 {
        self.row().1
    }

    /// What happened.
    #[must_use]
    pub fn message(self, lang: Lang) -> &'static str {
        self.row().2[lang as usize]
    }

    /// What to do.
    #[must_use]
    pub fn remedy(self, lang: Lang) -> &'static str {
        self.row().3[lang as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::{Lang, Reason};
    use std::collections::HashSet;

    #[test]
    fn every_reason_has_a_message_and_a_remedy_in_both_languages() {
        for reason in Reason::ALL {
            for text in [reason.message(Lang::Zh), reason.remedy(Lang::Zh)] {
                assert!(
                    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)),
                    "{reason:?}: {text}"
                );
            }
            for text in [reason.message(Lang::En), reason.remedy(Lang::En)] {
                assert!(!text.is_empty() && text.is_ascii(), "{reason:?}: {text}");
            }
        }
    }

    #[test]
    fn codes_are_unique_snake_case_and_lead_back() {
        let codes: HashSet<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        for reason in Reason::ALL {
            assert!(
                reason
                    .code()
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            );
            assert_eq!(Reason::from_code(reason.code()), Some(*reason));
        }
    }

    #[test]
    fn every_status_is_an_error_status() {
        assert!(
            Reason::ALL
                .iter()
                .all(|reason| (400..600).contains(&reason.status()))
        );
    }
}

using Runbooks.Model.Text;

namespace Runbooks.Model.Tests.Text;

/// <summary>The secrets here are made up, in the shapes that their issuers document; they are put together so that no scanner takes them for real.</summary>
public sealed class RedactorTests
{
    private const string Secret = "Hunter2-Zq9x";

    public static TheoryData<string> Assignments =>
    [
        $"password=\"{Secret} with spaces\"", $"DB_PASSWORD={Secret}", $"db_password: {Secret}", $"DB_PASS={Secret}", "smtp_pass: swordfish", $"{{\"mysql-pass\":\"{Secret}\"}}", "db_password: swordfish", $"'password': '{Secret}'", $"\"dbPassword\" : \"{Secret}\"",
        $"{{\\\"password\\\":\\\"{Secret}\\\",\\\"n\\\":1}}", $"{{\\\\\\\"apiKey\\\\\\\":\\\\\\\"{Secret}\\\\\\\"}}", $"export API_KEY={Secret}", $"apiKey => '{Secret}'", $"client_secret := {Secret}",
        $"\"password\": \"a\\\"{Secret}\"", $"password=\"{Secret}", $"PASSWORD_1={Secret}", $"spring.datasource.password={Secret}", $"AccountName=x;AccountKey={Secret}==;EndpointSuffix=y",
        $"Server=x;User Id=y;Password={Secret};", $"Pwd={Secret};", $"SharedAccessKey={Secret}", $"token: {Secret}", $"access_token={Secret}&x=1", $"connectionString: \"Server=x;Pooling={Secret}\"",
        $"<password>{Secret}</password>", $"<add key=\"x\" password='{Secret}' />", $"mysql --password {Secret} -h db", $"tool --api-key '{Secret}'", $"password%3D{Secret}",
        $"x-functions-key: {Secret}", $"Ocp-Apim-Subscription-Key: {Secret}", $"api-key: {Secret}", $"X-Api-Key={Secret}", $"Cookie: session={Secret}; theme={Secret}", $"Set-Cookie: s={Secret}; Path=/",
        $"Authorization: {Secret}", $"Authorization: Basic {Secret}", $"\"Authorization\": \"Digest username=\\\"u\\\"\"; response={Secret}".Replace("\"; response", ", response"), $"Proxy-Authorization: Negotiate {Secret}",
        $"https://user:{Secret}@host/x", $"redis://:{Secret}@cache:6380", $"https://a/b?sv=1&sig={Secret}", $"/decide?code={Secret}", $"?X-Amz-Signature={Secret}", $"routing_key: {Secret}", $"signingSecret={Secret}",
        $"-----BEGIN RSA PRIVATE KEY-----\n{Secret}\n-----END RSA PRIVATE KEY-----", $"-----BEGIN PRIVATE KEY-----\\n{Secret}", $"https://hooks.slack.com/services/T000/B000/{Secret}",
        $"https://x.webhook.office.com/webhookb2/{Secret}/IncomingWebhook/y", $"https://discord.com/api/webhooks/1/{Secret}",
        $"password = {Secret}", $"password\t=\t{Secret}", $"password:{Secret}", $"'Password': \"{Secret}\"", $"token = \"{Secret}\"", $"password=`{Secret} with spaces`", $"password=“{Secret} with spaces”", $"password: «{Secret}»",
        $"&quot;password&quot;:&quot;{Secret}&quot;", $"password=&#39;{Secret}&#39;", $"\\u0022password\\u0022:\\u0022{Secret}\\u0022", $"%22password%22%3A%22{Secret}%22", $"$env:API_KEY = \"{Secret}\"", $"set \"DB_PASSWORD={Secret}\"",
        $"docker run -e DB_PASSWORD='{Secret}' x", $"helm --set auth.password={Secret},x=1", $"--password={Secret}", $"--password=\"{Secret}\"", $"curl -u admin:{Secret} https://x", $"curl --user 'admin:{Secret}' https://x", $"curl -H 'X-Api-Key: {Secret}' https://x",
        $"sshpass -p {Secret} ssh x", $"mongodb+srv://u:{Secret}@c/x", $"jdbc:postgresql://h/db?user=a&password={Secret}", $"amqps://u:{Secret}@broker:5671/v", $"{{\"name\":\"DB_PASSWORD\",\"value\":\"{Secret}\"}}", $"- name: DB_PASSWORD\n  value: {Secret}",
        $"- name: API_KEY\n  value: \"{Secret}\"", $"<add key=\"ApiKey\" value=\"{Secret}\" />", $"<entry name='db.password'>{Secret}</entry>", $"password: |\n  {Secret}", $"password: >-\n    {Secret}", $"password: !!str {Secret}", $"[password] {Secret}".Replace("[password] ", "password= "),
        $"Password ='{Secret}'", $"PGPASSWORD={Secret} psql -h db", $"AWS_SECRET_ACCESS_KEY={Secret}", $"aws_session_token = {Secret}", $"\"client-secret\":[\"{Secret}\"]", $"clientSecret=[{Secret}]", $"private_token: {Secret}", $"X-Vault-Token: {Secret}",
        $"SECRET_KEY={Secret}", $"WEBUI_SECRET_KEY={Secret}", $"\"secretKey\": \"{Secret}\"", $"JWT_SECRET_KEY='{Secret}'", $"session_key: {Secret}", $"LITELLM_SALT_KEY=sk-{Secret}", $"AIRFLOW__CORE__FERNET_KEY={Secret}", $"hmac-key={Secret}", $"cookieKey: {Secret}",
        $"RABBITMQ_DEFAULT_PASS={Secret}", "RABBITMQ_DEFAULT_PASS=swordfish", $"default_pass = {Secret}", $"export SASL_PASS={Secret}", $"NEO4J_AUTH=neo4j/{Secret}", $"postgres://llm:p@ss{Secret}@db:5432/x",
        $"DB_PASSWORD_PROD={Secret}", $"secret_key_base: {Secret}", $"MYSQL_ROOT_PASSWORD_OLD: '{Secret}'", $"Authorization: GenieKey {Secret}-889a", $"\"authorization\": \"SSWS {Secret}-889a\"",
        $"leave it, the new password is {Secret}", $"the passphrase was now '{Secret}'",
        $"{{ auth: {{ user: 'app', pass: '{Secret}' }} }}", $"\"auth\":{{\"user\":\"app\",\"pass\":\"{Secret}\"}}", $"\\\"pass\\\":\\\"{Secret}\\\"", $"pass={Secret}", $"PASS={Secret}", $"user: app\n  pass: {Secret}", $"- pass: {Secret}", $"user=app;pass={Secret};",
        $"dbPass={Secret}", $"smtpPass: \"{Secret}\"", $"\"userPass\":\"{Secret}\"", $"mailPass: {Secret}", $"redis-cli -h cache -a {Secret} ping", $"redis-cli -a '{Secret}'", $"requirepass {Secret}", $"CONFIG SET masterauth \"{Secret}\"",
    ];

    /// <summary>Names that say little: with a value in the shape of a key it is one.</summary>
    [Theory]
    [InlineData("AZURE_OPENAI_KEY={0}")]
    [InlineData("AZURE_SEARCH_KEY: \"{0}\"")]
    [InlineData("SPEECH_KEY='{0}'")]
    [InlineData("key1={0}")]
    [InlineData("{{\"key\":\"{0}\"}}")]
    [InlineData("{{\\\"key2\\\":\\\"{0}\\\"}}")]
    [InlineData("cosmosKey = {0}")]
    [InlineData("NPM_AUTH={0}")]
    [InlineData("//registry.npmjs.org/:_auth={0}")]
    [InlineData("pat={0}")]
    [InlineData("apikey {0}")]
    [InlineData("mysql -u root -p{0} inference")]
    [InlineData("AWS_BEARER_TOKEN_BEDROCK={0}")]
    [InlineData("AZURE_OPENAI_API_KEY_EASTUS='{0}'")]
    [InlineData("SECRET_KEY_BASE={0}")]
    [InlineData("ACCESS_TOKEN_SLACK: {0}")]
    [InlineData("headers=[('host', 'x'), ('api-key', '{0}')]")]
    [InlineData("[b'api-key', b'{0}']")]
    [InlineData("{{\"rawHeaders\":[\"api-key\",\"{0}\"]}}")]
    public void KeyByItsNameAndShape_IsHidden(string text)
    {
        foreach (var key in new[] { "0123456789abcdef0123456789abcdef", "ABCDEF0123456789ABCDEF0123456789", "q1W2e3R4t5Y6u7I8o9P0+/a1S2d3F4g5H6j7K8l9Z0=", "Zt3v_kQ-9aB8c7D6e5F4g3H2", "9aB8c7D6e5F4g3H2-Zt3v_kQ==" })
        {
            var redacted = Redactor.Redact(string.Format(System.Globalization.CultureInfo.InvariantCulture, text, key));

            redacted.ShouldNotContain(key);
            redacted.ShouldBe(string.Format(System.Globalization.CultureInfo.InvariantCulture, text, Redactor.Hidden));
        }
    }

    [Theory]
    [InlineData("key=/v1/deployments/gpt4omini32/chat")]
    [InlineData("cache_key: model/llama31/70b/shard3")]
    [InlineData("idempotency_key=5c1f3f0e-3a55-4d2e-9c57-6a4f7b2c9d10")]
    [InlineData("redis_key=session:17:0123456789abcdef")]
    [InlineData("idempotency_key=5C1F3F0E-3A55-4D2E-9C57-6A4F7B2C9D10")]
    [InlineData("sku_key=Standard_NC24ads_A100_v4")]
    [InlineData("cache_key: GPT4-Turbo-128k-Chat")]
    [InlineData("partition_key=inference-llm-b-0-7bf9c8d6f4-x2k9q")]
    [InlineData("The SECRET_KEY setting must not be empty")]
    [InlineData("The password is expired, the password was Rotated by ada, and a password is needed.")]
    [InlineData("first_pass: 12ms, forward_pass=enabled, tests pass: 12")]
    [InlineData("All checks pass: Deployment llm-b rolled out; smoke tests pass: TestHttp2Server, v1.2.3-rc1; pass: ok")]
    [InlineData("pass=enabled, pass: Optimized, renderPass: \"shadows\", bypass=Https2Proxy")]
    [InlineData("last pass: 2026-11-24T03:12:05Z, pass=2026-11-24T03:12:05Z, gc pass=1250.2ms")]
    [InlineData("requirepass is not set, masterauth differs; redis-cli ping && ls -a /tmp/redis; redis-cli --scan")]
    [InlineData("--- PASS: TestHttp2Server (0.02s)")]
    [InlineData("compat=0123456789abcdef0123456789abcdef")]
    [InlineData("mysql restarted on port 3306")]
    [InlineData("apikey validation failed")]
    [InlineData("SECRET_NAME=llm-tls-v2-0123456789 TOKEN_BUDGET=unlimited")]
    [InlineData("PASSWORD_FILE=/run/secrets/db-2026 PASSWORD_MAX_AGE=90d PASSWORD_RESET_URL=https://host/reset/v2 PASSWORD_MIN_LENGTH=12")]
    [InlineData("required: ['api-key', 'endpoint', 'deployment']")]
    [InlineData("authorization: allow request_id=7c6f0c52-6b41-4a0a-9d26-27b3a0f2f8b1")]
    [InlineData("Authorization: Denied by policy at 2026-11-24T03:12:05Z")]
    [InlineData("{\"input_cost_per_token\": 2.5e-06, \"output_cost_per_token\": 1.25e-06}")]
    [InlineData("output_cost_per_token: 1.25e-06 time_per_token=31.2ms cost_per_token=0.02$")]
    [InlineData("Column('id', Integer(), primary_key=True, nullable=False)")]
    [InlineData("sk-learn-regression-model-2026-v2 task-sk-inference-llm-b-0-7bf9c8d6f4")]
    [InlineData("AZDO run 412, ABSKIPPED, AQ.3, api_org_id=17, bedrock-api-key-rotation")]
    public void OrdinaryKey_StaysAsItIs(string text) => Redactor.Redact(text).ShouldBe(text);

    [Theory]
    [InlineData("password=!hunter2 \n", "password=••• \n")]
    [InlineData("DB_PASSWORD_PROD=March2026 dbPass=Jan-2026", "DB_PASSWORD_PROD=••• dbPass=•••")]
    [InlineData("The password is March2026", "The password is •••")]
    [InlineData("PASSWORD_DB=24Dec2025 PASSWORD_WEB=1e1234567", "PASSWORD_DB=••• PASSWORD_WEB=•••")]
    [InlineData("Authorization: GenieKey eb243592-faa2-4ba2-a551-1afdf565c889", "Authorization: GenieKey •••")]
    [InlineData("authorization: SSWS 00QCjAl4MlV-WPXM0_HmjFx-9", "authorization: SSWS •••")]
    [InlineData("https://host/?password=ab}cdef", "https://host/?password=•••")]
    [InlineData("cannot parse key.pem: no line '-----END PRIVATE KEY-----'", "cannot parse key.pem: no line '-----END PRIVATE KEY-----'")]
    [InlineData("Set api_key OPENAI_API_KEY", "Set api_key OPENAI_API_KEY")]
    [InlineData("docker run --name mysql -p3306:3306", "docker run --name mysql -p3306:3306")]
    [InlineData("MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nQw==\n-----END PRIVATE KEY-----", "•••-----END PRIVATE KEY-----")]
    public void EdgesOfWhatIsHidden(string text, string shown) => Redactor.Redact(text).ShouldBe(shown);

    [Fact]
    public void KeyWhoseBeginningIsCutOff_IsHidden() =>
        Redactor.Redact($"{Secret}\n-----END PRIVATE KEY-----\nready").ShouldBe("•••-----END PRIVATE KEY-----\nready");

    [Theory]
    [MemberData(nameof(Assignments))]
    public void SecretByItsNameOrPlace_IsHidden(string text)
    {
        var redacted = Redactor.Redact(text);

        redacted.ShouldNotContain(Secret);
        redacted.ShouldNotContain("swordfish");
        redacted.ShouldContain(Redactor.Hidden);
        Redactor.Redact(redacted).ShouldBe(redacted, "hiding again changes nothing");
    }

    public static TheoryData<string> Shapes
    {
        get
        {
            var (a, b, hex) = (new string('a', 20) + "9" + new string('Z', 20), new string('B', 60) + "7", string.Concat(Enumerable.Repeat("0f9e", 16)));
            return
            [
                $"ghp_{a}", $"github_pat_{a}{a}", $"glpat-{a}", $"xoxb-{a}", $"sk-proj-{a}", $"sk-ant-api03-{a}", $"sk-{a}", $"sk_live_{a}", $"hf_{a}", $"AIza{a[..35]}", $"AKIA{new string('B', 16)}",
                $"dapi{hex[..32]}", $"SG.{a}.{a}", $"glsa_{a[..32]}_{hex[..8]}", $"dop_v1_{hex}", $"npm_{a[..36]}", $"hvs.{a}", $"gsk_{b}", $"r8_{a[..37]}", $"nvapi-{b}", $"AGE-SECRET-KEY-1{new string('Q', 58)}",
                $"abc1Q~{a[..32]}", $"{b[..52]}JQQJ99BKAC{a[..20]}", $"{a}{b[..39]}+AStSx9Zq==", $"{b[..44]}AzFuxq9ZkA==", $"{b[..42]}AzSeAxq9Zk", $"{b[..33]}AzCaAxq9Zk=", $"{b[..60]}{b[..16]}APIMxq9ZkA==", $"123456789:AA{a[..33]}", $"eyJ{a}.eyJ{a}.{a}",
                "sk-Zt3v_kQ-9aB8c7D6e5F4g3", $"ABSK{b}", $"bedrock-api-key-{a}", $"{b}{a[..15]}AZDOab1Z", $"AQ.{a}", $"dckr_oat_{a}", $"glptt-{a}", $"glagent-{a}", $"api_org_{a[..34]}",
            ];
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void SecretByItsShape_IsHiddenWhereverItStands(string secret) =>
        Redactor.Redact($"answered 401 ({secret}) to pod llm-b-0").ShouldBe("answered 401 (•••) to pod llm-b-0");

    [Theory]
    [InlineData("https://a/b?sig=abc%2Bdef&x=1", "https://a/b?sig=•••&x=1")]
    [InlineData("Authorization: Bearer abcdefgh12345", "Authorization: Bearer •••")]
    [InlineData("{\"to\":\"https://a/b?x=1\\\\u0026sig=abc\"}", "{\"to\":\"https://a/b?x=1\\\\u0026sig=•••\"}")]
    [InlineData("postgres://u:p@db/x", "postgres://•••@db/x")]
    [InlineData("postgres://u:p@ssw0rd-9@db:5432/x from a@b", "postgres://•••@db:5432/x from a@b")]
    [InlineData("postgres://u:p@db1/x,postgres://u:p@db2/x", "postgres://•••@db1/x,postgres://•••@db2/x")]
    [InlineData("Server=x;Password=hunter2;Pooling=true", "Server=x;Password=•••;Pooling=true")]
    [InlineData("{\"apiKey\":\"k\",\"n\":1}", "{\"apiKey\":\"•••\",\"n\":1}")]
    [InlineData("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl.", "token •••.")]
    public void FreeText_LosesTheSecretAlone(string text, string expected) => Redactor.Redact(text).ShouldBe(expected);

    [Fact]
    public void OrdinaryLog_StaysAsItIs()
    {
        // One line a case: what programs, databases, clusters and model servers write every day. All of it is made up.
        var lines = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Text", "ordinary.log"));

        lines.Length.ShouldBeGreaterThan(300);
        lines.Select(Redact).Where((redacted, at) => redacted != lines[at]).ShouldBeEmpty();

        static string Redact(string line) => Redactor.Redact(line);
    }

    /// <summary>Where a name says that a secret follows, and nothing says that it does not.</summary>
    [Theory]
    [InlineData("msg=\"secret rotated\" secret=link-key version=4", "msg=\"secret rotated\" secret=••• version=4")]
    [InlineData("password=correct-horse", "password=•••")]
    [InlineData("token=tokens", "token=•••")]
    public void NameThatStandsWhereASecretMay_IsHidden(string text, string expected)
    {
        Redactor.Redact(text).ShouldBe(expected);
    }

    /// <summary>That no expression backtracks is for ExpressionTests; this is that what stands around them does not begin anew either.</summary>
    [Theory]
    [InlineData("password=\"")]
    [InlineData("token")]
    [InlineData("--a-")]
    [InlineData("\\\\\\")]
    [InlineData("-----BEGIN PRIVATE KEY-----")]
    [InlineData("https://a.")]
    [InlineData("Cookie: a")]
    [InlineData("cookie:")]
    [InlineData("key: ")]
    [InlineData("eyJaaaaaaaa-")]
    [InlineData("curl -u a")]
    [InlineData("curl sshpass -p x ")]
    [InlineData("name=password,value")]
    [InlineData("name: token      ")]
    [InlineData("<a name='password' ")]
    [InlineData("password: |\n ")]
    [InlineData("secret=[\n")]
    [InlineData("%22password")]
    [InlineData("token?sig=")]
    [InlineData("tokenhooks.slack.com/services/x")]
    public void HostileText_IsReadWhole(string piece) =>
        Redactor.Redact(string.Concat(Enumerable.Repeat(piece, 256_000 / piece.Length))).Length.ShouldBeLessThanOrEqualTo(512_000);

    [Fact]
    public void MarksBeforeAName_AreReadOnce() => Redactor.Redact(new string('\\', 256_000) + "'pass:").Length.ShouldBe(256_006);

    [Fact]
    public void BlanksBehindAName_AreReadWhole() => Redactor.Redact("name: token" + new string(' ', 256_000) + "x").Length.ShouldBe(256_012);
}

using Runbooks.Model.Text;

namespace Runbooks.Model.Tests.Text;

/// <summary>The secrets here are made up, in the shapes that their issuers document; they are put together so that no scanner takes them for real.</summary>
public sealed class RedactorTests
{
    private const string Secret = "Hunter2-Zq9x";

    public static TheoryData<string> Assignments =>
    [
        $"password=\"{Secret} with spaces\"", $"DB_PASSWORD={Secret}", $"db_password: {Secret}", "db_password: swordfish", $"'password': '{Secret}'", $"\"dbPassword\" : \"{Secret}\"",
        $"{{\\\"password\\\":\\\"{Secret}\\\",\\\"n\\\":1}}", $"{{\\\\\\\"apiKey\\\\\\\":\\\\\\\"{Secret}\\\\\\\"}}", $"export API_KEY={Secret}", $"apiKey => '{Secret}'", $"client_secret := {Secret}",
        $"\"password\": \"a\\\"{Secret}\"", $"password=\"{Secret}", $"PASSWORD_1={Secret}", $"spring.datasource.password={Secret}", $"AccountName=x;AccountKey={Secret}==;EndpointSuffix=y",
        $"Server=x;User Id=y;Password={Secret};", $"Pwd={Secret};", $"SharedAccessKey={Secret}", $"token: {Secret}", $"access_token={Secret}&x=1", $"connectionString: \"Server=x;Pooling={Secret}\"",
        $"<password>{Secret}</password>", $"<add key=\"x\" password='{Secret}' />", $"mysql --password {Secret} -h db", $"tool --api-key '{Secret}'", $"password%3D{Secret}",
        $"x-functions-key: {Secret}", $"Ocp-Apim-Subscription-Key: {Secret}", $"api-key: {Secret}", $"X-Api-Key={Secret}", $"Cookie: session={Secret}; theme={Secret}", $"Set-Cookie: s={Secret}; Path=/",
        $"Authorization: {Secret}", $"Authorization: Basic {Secret}", $"\"Authorization\": \"Digest username=\\\"u\\\"\"; response={Secret}".Replace("\"; response", ", response"), $"Proxy-Authorization: Negotiate {Secret}",
        $"https://user:{Secret}@host/x", $"redis://:{Secret}@cache:6380", $"https://a/b?sv=1&sig={Secret}", $"/decide?code={Secret}", $"?X-Amz-Signature={Secret}", $"routing_key: {Secret}", $"signingSecret={Secret}",
        $"-----BEGIN RSA PRIVATE KEY-----\n{Secret}\n-----END RSA PRIVATE KEY-----", $"-----BEGIN PRIVATE KEY-----\\n{Secret}", $"https://hooks.slack.com/services/T000/B000/{Secret}",
        $"https://x.webhook.office.com/webhookb2/{Secret}/IncomingWebhook/y", $"https://discord.com/api/webhooks/1/{Secret}",
    ];

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
                $"abc1Q~{a[..32]}", $"{b[..52]}JQQJ99BKAC{a[..20]}", $"{a}{b[..39]}+AStSx9Zq==", $"{a}AzFuxq9Z==", $"123456789:AA{a[..33]}", $"eyJ{a}.eyJ{a}.{a}",
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
    [InlineData("postgres://u:p@db/x", "postgres://•••@db/x")]
    [InlineData("Server=x;Password=hunter2;Pooling=true", "Server=x;Password=•••;Pooling=true")]
    [InlineData("{\"apiKey\":\"k\",\"n\":1}", "{\"apiKey\":\"•••\",\"n\":1}")]
    [InlineData("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl.", "token •••.")]
    public void FreeText_LosesTheSecretAlone(string text, string expected) => Redactor.Redact(text).ShouldBe(expected);

    [Fact]
    public void OrdinaryLog_StaysAsItIs()
    {
        // One line a case: what runs, databases, clusters and model servers write every day. All of it is made up.
        foreach (var line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Text", "ordinary.log")))
        {
            Redactor.Redact(line).ShouldBe(line);
        }
    }

    [Fact]
    public void VeryLongText_TakesNoLongerThanItsLength()
    {
        foreach (var piece in (string[])["password=\"", "token", "--a-", "\\\\\\", "sk-", "-----BEGIN PRIVATE KEY-----", "https://", "Cookie: a", "key: ", "a.b-", "https://a.", "eyJ", "secret", "@a"])
        {
            Redactor.Redact(string.Concat(Enumerable.Repeat(piece, 100_000 / piece.Length))).Length.ShouldBeLessThanOrEqualTo(200_000);
        }
    }
}

using System.Text.Json.Nodes;
using Runbooks.Integrations.Azure;

namespace Runbooks.Integrations.Tests.Azure;

public sealed class ArmPermissionsTests
{
    private const string Restart = "Microsoft.Web/sites/restart/action";

    [Theory]
    [InlineData("""[{"actions":["*"],"notActions":[]}]""", true)]
    [InlineData("""[{"actions":["microsoft.web/SITES/*"]}]""", true)]
    [InlineData("""[{"actions":["*/read"],"notActions":[]}]""", false)]
    [InlineData("""[{"actions":["Microsoft.Web/sites/restart"]}]""", false)]
    [InlineData("""[{"actions":["*"],"notActions":["Microsoft.Web/*/action"]}]""", false)]
    [InlineData("""[{"actions":["*"],"notActions":["Microsoft.Web/*/action"]},{"actions":["Microsoft.Web/sites/restart/action"]}]""", true)]
    [InlineData("""[{"actions":null,"notActions":[7]},{}, null, "odd"]""", false)]
    [InlineData("[]", false)]
    public void Operation_IsAllowedWhenOneRoleNamesItAndDoesNotTakeItBack(string roles, bool allowed) =>
        ArmPermissions.MayAllow(Answer($$"""{"value":{{roles}}}"""), Restart).ShouldBe(allowed);

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"value":"odd"}""")]
    [InlineData("""{"value":[],"nextLink":"https://management.azure.com/next"}""")]
    public void AnswerThatDoesNotTell_IsNoRefusal(string answer) => ArmPermissions.MayAllow(Answer(answer), Restart).ShouldBeTrue();

    private static JsonObject Answer(string json) => JsonNode.Parse(json)!.AsObject();
}

using Runbooks.Catalog.Parameters;

namespace Runbooks.Catalog.Tests.Parameters;

public sealed class ParameterRuleTests
{
    [Theory]
    [InlineData("llm-b-0", true)]
    [InlineData("0", true)]
    [InlineData("", false)]
    [InlineData("-a", false)]
    [InlineData("a-", false)]
    [InlineData("A", false)]
    [InlineData("a.b", false)]
    [InlineData("a/b", false)]
    [InlineData("a\n", false)]
    [InlineData("../etc", false)]
    public void KubernetesLabel(string name, bool valid) => new KubernetesNameAttribute().IsValid(name).ShouldBe(valid);

    [Theory]
    [InlineData("a.b-c.d", true)]
    [InlineData("a..b", false)]
    [InlineData(".", false)]
    [InlineData("..", false)]
    public void KubernetesSubdomain(string name, bool valid) => new KubernetesNameAttribute { Subdomain = true }.IsValid(name).ShouldBe(valid);

    [Fact]
    public void KubernetesName_IsBounded()
    {
        new KubernetesNameAttribute().IsValid(new string('a', 64)).ShouldBeFalse();
        new KubernetesNameAttribute { Subdomain = true }.IsValid(new string('a', 254)).ShouldBeFalse();
    }

    [Theory]
    [InlineData("https://host/path?x=1", true)]
    [InlineData("http://127.0.0.1:9090", true)]
    [InlineData("ftp://host", false)]
    [InlineData("javascript:alert(1)", false)]
    [InlineData("file:///etc/passwd", false)]
    [InlineData("https://user:pass@host/", false)]
    [InlineData("/relative", false)]
    [InlineData("https://host/\nX: y", false)]
    public void HttpUrl(string address, bool valid) => new HttpUrlAttribute().IsValid(address).ShouldBe(valid);

    private const string Group = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/";

    [Theory]
    [InlineData(Group + "Microsoft.Network/trafficManagerProfiles/tm", true)]
    [InlineData(Group + "microsoft.network/TrafficManagerProfiles/tm", true)]
    [InlineData(Group + "Microsoft.Network/trafficManagerProfiles", false)]
    [InlineData(Group + "Microsoft.Network/trafficManagerProfiles/tm/azureEndpoints/e", false)]
    [InlineData(Group + "Microsoft.Network/trafficManagerProfiles/..", false)]
    [InlineData(Group + "Microsoft.Network/trafficManagerProfiles/tm?x=1", false)]
    [InlineData("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/trafficManagerProfiles/tm", false)]
    [InlineData("tm", false)]
    public void ArmResourceId(string id, bool valid) =>
        new ArmResourceIdAttribute("Microsoft.Network/trafficManagerProfiles").IsValid(id).ShouldBe(valid);

    [Fact]
    public void ArmResourceIdOfAChild_HasBothTypes() =>
        new ArmResourceIdAttribute("Microsoft.Cdn/profiles/afdEndpoints").IsValid(Group + "Microsoft.Cdn/profiles/p/afdEndpoints/e").ShouldBeTrue();
}

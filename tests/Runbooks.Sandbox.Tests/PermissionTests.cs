using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Runbooks.Sandbox.Tests;

public sealed class PermissionTests : OnTheSandbox
{
    private const string Pod = "/kubernetes/b/api/v1/namespaces/inference/pods/llm-b-0";
    private const string Site = "/arm/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg/providers/Microsoft.Web/sites/web";
    private const string Version = "?api-version=2022-04-01";

    [Fact]
    public async Task KubernetesPermissionTakenAway_IsDeniedHoweverOftenUntilReset()
    {
        (await MayAsync("delete", null)).ShouldBeTrue();
        await FaultAsync(new { api = "kubernetes", kind = "denied", on = "delete pods" });

        (await MayAsync("delete", null), await MayAsync("create", "eviction")).ShouldBe((false, true));
        (await Http.DeleteAsync(Pod, Cancel)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await Http.DeleteAsync(Pod, Cancel)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);

        await Http.PostAsync("/_sandbox/reset", null, Cancel);
        (await Http.DeleteAsync(Pod, Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task AzurePermissionTakenAway_IsAmongWhatRolesTakeBackAndTheCallIsDenied()
    {
        await FaultAsync(new { api = "arm", kind = "denied", on = "Microsoft.Web/sites/*/action" });

        var role = (await JsonAsync($"{Site}/providers/Microsoft.Authorization/permissions{Version}")).GetProperty("value")[0];
        role.GetProperty("actions")[0].GetString().ShouldBe("*");
        role.GetProperty("notActions")[0].GetString().ShouldBe("Microsoft.Web/sites/*/action");
        (await Http.PostAsync($"{Site}/restart{Version}", null, Cancel)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await Http.GetAsync(Site + Version, Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private async Task<bool> MayAsync(string verb, string? subresource)
    {
        var review = new
        {
            apiVersion = "authorization.k8s.io/v1",
            kind = "SelfSubjectAccessReview",
            spec = new { resourceAttributes = new { @namespace = "inference", verb, resource = "pods", subresource } },
        };
        var answer = await Http.PostAsJsonAsync("/kubernetes/b/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review, Cancel);
        answer.StatusCode.ShouldBe(HttpStatusCode.Created);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("status").GetProperty("allowed").GetBoolean();
    }
}

using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Runbooks.Sandbox.Tests;

public sealed class PermissionTests : OnVirtualSandbox
{
    private const string Pod = "/kubernetes/b/api/v1/namespaces/inference/pods/llm-b-0";
    private const string Site = "/arm/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg/providers/Microsoft.Web/sites/web";
    private const string Version = "?api-version=2022-03-01";

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

    /// <summary>Reading takes permissions as well, each of its own, and is refused in the words of the API server.</summary>
    [Theory]
    [InlineData("list pods", "api/v1/namespaces/inference/pods", "pods is forbidden: User \"system:serviceaccount:runbooks:runbooks\" cannot list resource \"pods\" in API group \"\" in the namespace \"inference\"")]
    [InlineData("get pods", "api/v1/namespaces/inference/pods/llm-b-0", "pods \"llm-b-0\" is forbidden: User \"system:serviceaccount:runbooks:runbooks\" cannot get resource \"pods\" in API group \"\" in the namespace \"inference\"")]
    [InlineData("get pods/log", "api/v1/namespaces/inference/pods/llm-b-0/log", "pods \"llm-b-0\" is forbidden: User \"system:serviceaccount:runbooks:runbooks\" cannot get resource \"pods/log\" in API group \"\" in the namespace \"inference\"")]
    [InlineData("list nodes", "api/v1/nodes", "nodes is forbidden: User \"system:serviceaccount:runbooks:runbooks\" cannot list resource \"nodes\" in API group \"\" at the cluster scope")]
    [InlineData("watch deployments", "apis/apps/v1/namespaces/chat/deployments?watch=true", "deployments.apps is forbidden: User \"system:serviceaccount:runbooks:runbooks\" cannot watch resource \"deployments\" in API group \"apps\" in the namespace \"chat\"")]
    [InlineData("get pods", "api/v1/namespaces/inference/pods/llm-b-0?watch=true", "pods \"llm-b-0\" is forbidden: User \"system:serviceaccount:runbooks:runbooks\" cannot get resource \"pods\" in API group \"\" in the namespace \"inference\"")]
    [InlineData("get namespaces", "api/v1/namespaces/chat", "namespaces \"chat\" is forbidden: User \"system:serviceaccount:runbooks:runbooks\" cannot get resource \"namespaces\" in API group \"\" in the namespace \"chat\"")]
    public async Task ReadingThatWasTakenAwayOnKubernetes_IsRefused(string permission, string path, string words)
    {
        await FaultAsync(new { api = "kubernetes", kind = "denied", on = permission });

        using var answer = await Http.GetAsync($"/kubernetes/b/{path}", Cancel);

        answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        var status = (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel));
        (status.GetProperty("reason").GetString(), status.GetProperty("message").GetString()).ShouldBe(("Forbidden", words));
        (await Http.GetAsync("/kubernetes/b/api/v1/namespaces", Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    /// <summary>The details have the group of a resource that has one, and nothing of a path that is no resource.</summary>
    [Theory]
    [InlineData("apis/apps/v1/namespaces/chat/deployments", "apps", "deployments")]
    [InlineData("version", null, "")]
    public async Task Refusal_SaysWhatItIsAbout(string path, string? group, string kind)
    {
        await FaultAsync(new { api = "kubernetes", kind = "403" });

        using var answer = await Http.GetAsync($"/kubernetes/b/{path}", Cancel);

        var status = await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel);
        (status.GetProperty("details").GetProperty("group").GetString(), status.GetProperty("details").GetProperty("kind").GetString()).ShouldBe((group, kind));
        status.GetProperty("message").GetString()!.ShouldNotContain("/kubernetes/");
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

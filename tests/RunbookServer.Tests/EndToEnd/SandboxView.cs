using System.Text.Json.Nodes;
using Runbooks.Sandbox;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>What really happened in the sandbox.</summary>
internal sealed class SandboxView(JsonNode cluster)
{
    public int Deletions => cluster["deletions"]!.GetValue<int>();

    public static async Task<SandboxView> OfAsync(SandboxServer sandbox)
    {
        using var http = new HttpClient();
        var state = JsonNode.Parse(await http.GetStringAsync(new Uri(sandbox.BaseAddress, "/_sandbox/state"), TestContext.Current.CancellationToken))!;
        return new SandboxView(state["apis"]!["kubernetes"]!["b"]!);
    }

    /// <summary>What hung works again without the runbook having done anything.</summary>
    public static async Task MendAsync(SandboxServer sandbox, string pod)
    {
        using var http = new HttpClient();
        (await http.DeleteAsync(new Uri(sandbox.BaseAddress, $"/kubernetes/b/api/v1/namespaces/inference/pods/{pod}"), TestContext.Current.CancellationToken)).EnsureSuccessStatusCode();
    }

    public string Uid(string pod) => Pod(pod)["uid"]!.ToString();

    public bool Hangs(string pod) => Pod(pod)["hung"]!.GetValue<bool>();

    private JsonNode Pod(string name) => cluster["pods"]!.AsArray().Single(pod => pod!["name"]!.ToString() == name)!;
}

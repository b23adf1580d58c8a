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

    public string Uid(string pod) => Pod(pod)["uid"]!.ToString();

    public bool Hangs(string pod) => Pod(pod)["hung"]!.GetValue<bool>();

    private JsonNode Pod(string name) => cluster["pods"]!.AsArray().Single(pod => pod!["name"]!.ToString() == name)!;
}

using System.Text.Json.Nodes;
using Runbooks.Sandbox;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>What really happened in the practice range.</summary>
internal sealed class PracticeView(JsonNode cluster)
{
    public int Deletions => cluster["deletions"]!.GetValue<int>();

    public static async Task<PracticeView> OfAsync(PracticeRangeServer range)
    {
        using var http = new HttpClient();
        var state = JsonNode.Parse(await http.GetStringAsync(new Uri(range.BaseAddress, "/_range/state"), TestContext.Current.CancellationToken))!;
        return new PracticeView(state["apis"]!["kubernetes"]!["b"]!);
    }

    public string Uid(string pod) => Pod(pod)["uid"]!.ToString();

    public bool Hangs(string pod) => Pod(pod)["hung"]!.GetValue<bool>();

    private JsonNode Pod(string name) => cluster["pods"]!.AsArray().Single(pod => pod!["name"]!.ToString() == name)!;
}

using System.Text.Json;
using System.Text.Json.Nodes;
using System.Xml;
using Azure.Core;
using Microsoft.Extensions.Options;

namespace Runbooks.Integrations.Azure.Monitor;

/// <summary>The query API of Log Analytics.</summary>
/// <seealso href="https://learn.microsoft.com/azure/azure-monitor/logs/api/response-format"/>
internal sealed class LogsClient(AzurePipelines pipelines, IOptions<AzureOptions> options)
{
    public const string Role = "Log Analytics Reader";
    private const string Scope = "https://api.loganalytics.io/.default";

    /// <returns>The first table: one dictionary for each row, by column.</returns>
    public async Task<IReadOnlyList<IReadOnlyList<KeyValuePair<string, JsonNode?>>>> QueryAsync(
        string workspace, string query, TimeSpan over, CancellationToken cancellationToken)
    {
        var endpoint = new Uri(options.Value.LogsEndpoint);
        var on = $"workspace '{workspace}'";
        var call = new AzureCall(RequestMethod.Post, new Uri($"{endpoint.ToString().TrimEnd('/')}/v1/workspaces/{workspace}/query"), "query its logs", on, Role)
        {
            Body = BinaryData.FromString(new JsonObject { ["query"] = query, ["timespan"] = XmlConvert.ToString(over) }.ToJsonString()),
        };
        var answer = await pipelines.To(endpoint, Scope).SendAsync(call, cancellationToken);
        try
        {
            var json = JsonNode.Parse(answer.Body)!.AsObject();
            // 200 with an error beside the rows: a part of the data could not be read, and a number over the rest misleads.
            if (json["error"] is JsonObject error)
            {
                throw new AzureCallException($"{on} could answer only in part: {error["message"]}");
            }

            var table = json["tables"]!.AsArray()[0]!;
            var columns = table["columns"]!.AsArray().Select(column => (string)column!["name"]!).ToList();
            return [.. table["rows"]!.AsArray().Select(row => columns.Zip(row!.AsArray(), KeyValuePair.Create).ToList())];
        }
        catch (Exception odd) when (odd is JsonException or NullReferenceException or InvalidOperationException or ArgumentOutOfRangeException)
        {
            throw new AzureCallException($"{on} answered the query in a form that is not known.", inner: odd);
        }
    }
}

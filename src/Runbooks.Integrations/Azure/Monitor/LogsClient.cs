using System.Xml;

namespace Runbooks.Integrations.Azure.Monitor;

/// <seealso href="https://learn.microsoft.com/azure/azure-monitor/logs/api/response-format"/>
internal sealed class LogsClient(AzurePipelines pipelines, IOptions<AzureOptions> options)
{
    public const string Role = "Log Analytics Reader";
    private const string Scope = "https://api.loganalytics.io/.default";

    /// <summary>
    /// At its daily cap a workspace stops collecting billable data until the next day. A count is then of what is collected, not of
    /// what happens.
    /// </summary>
    /// <seealso href="https://learn.microsoft.com/azure/azure-monitor/logs/daily-cap"/>
    public async Task<DateTimeOffset?> CappedSinceAsync(string workspace, CancellationToken cancellationToken)
    {
        // The documentation names the operation differently from page to page; the ingestion status in the detail is the same.
        var found = await QueryAsync(
            workspace,
            """_LogOperation | where Detail contains "OverQuota" or Detail contains "RespectQuota" """
                + "| top 1 by TimeGenerated | project TimeGenerated, Detail",
            TimeSpan.FromDays(1),
            cancellationToken);
        return found.Texts() is [var detail] && detail.Contains("OverQuota", StringComparison.OrdinalIgnoreCase)
            ? found.Time("TimeGenerated")
            : null;
    }

    public async Task<LogRows> QueryAsync(string workspace, string query, TimeSpan over, CancellationToken cancellationToken)
    {
        var endpoint = new Uri(options.Value.LogsEndpoint);
        var on = $"workspace '{workspace}'";
        var call = new AzureRequest(
            RequestMethod.Post, new Uri($"{endpoint.ToString().TrimEnd('/')}/v1/workspaces/{workspace}/query"), "query its logs", on, Role)
        {
            OnlyReads = true,
            Body = BinaryData.FromString(new JsonObject { ["query"] = query, ["timespan"] = XmlConvert.ToString(over) }.ToJsonString()),
        };
        var answer = await pipelines.To(endpoint, Scope).SendAsync(call, cancellationToken);
        try
        {
            var json = JsonNode.Parse(answer.Body)!.AsObject();
            // An error beside the rows of a 200 means that a part of the data could not be read. A number over the rest misleads.
            if (json["error"] is JsonObject error)
            {
                throw new AzureRequestException($"{on} could answer only in part: {error["message"]}");
            }

            var table = json["tables"]!.AsArray()[0]!;
            List<LogColumn> columns =
            [
                .. table["columns"]!.AsArray().Select(column => new LogColumn((string)column!["name"]!, (string)column["type"]!)),
            ];
            List<IReadOnlyList<JsonNode?>> rows = [.. table["rows"]!.AsArray().Select(row => row!.AsArray().ToList())];
            return rows.TrueForAll(row => row.Count == columns.Count) ? new(columns, rows) : throw new JsonException();
        }
        catch (Exception odd) when (odd is JsonException or NullReferenceException or InvalidOperationException or ArgumentOutOfRangeException)
        {
            throw new AzureRequestException($"{on} answered the query in a form that is not known.", inner: odd);
        }
    }
}

internal sealed record LogColumn(string Name, string Type)
{
    public bool IsNumber => Type is "int" or "long" or "real" or "decimal";

    public bool IsText => Type is "string" or "dynamic";
}

internal sealed record LogRows(IReadOnlyList<LogColumn> Columns, IReadOnlyList<IReadOnlyList<JsonNode?>> Rows)
{
    /// <summary>
    /// The numbers of one column, the same one for every row: a percentile of nothing is null, and the count beside it is no
    /// substitute. Null counts as not a number.
    /// </summary>
    public List<double>? Numbers(string? column)
    {
        var numbers = CellsOf(one => column is null ? one.IsNumber : one.Name.Equals(column, StringComparison.OrdinalIgnoreCase))
            ?.ConvertAll(Number);
        return numbers?.TrueForAll(number => number is not null) == true ? numbers.ConvertAll(number => number!.Value) : null;
    }

    /// <summary>The cells of the first text column that are not empty; null when there is no such column.</summary>
    public IReadOnlyList<string>? Texts() => CellsOf(one => one.IsText) is not { } cells ? null :
        [.. cells.Select(JsonAnswer.Text).OfType<string>().Where(text => text.Length > 0)];

    public DateTimeOffset? Time(string column) =>
        CellsOf(one => one.Name == column) is [var cell, ..]
            && DateTimeOffset.TryParse(JsonAnswer.Text(cell), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : null;

    private List<JsonNode?>? CellsOf(Func<LogColumn, bool> wanted) =>
        Columns.Select((column, at) => (column, at))
            .Where(one => wanted(one.column))
            .Select(one => Rows.Select(row => row[one.at]).ToList())
            .FirstOrDefault();

    // Decimals, and values such as NaN, come as text.
    private static double? Number(JsonNode? cell) => cell?.GetValueKind() switch
    {
        null => double.NaN,
        JsonValueKind.Number => cell.GetValue<double>(),
        JsonValueKind.String when double.TryParse((string?)cell, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
        _ => null,
    };
}

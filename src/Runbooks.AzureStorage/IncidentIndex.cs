using System.Text;
using Azure;
using Runbooks.Model.Incidents;

namespace Runbooks.AzureStorage;

/// <summary>
/// Three indexes, of open incidents, of closed ones, and of closed ones that people are not done with, one small row each, the latest first:
/// a listing is a range of keys however many incidents there are. The row is put before the incident and moved after it closes. The incident
/// itself says where it belongs, so a listing repairs a row in the wrong place.
/// The row of an incident that does not change for a while has its summary in it, so that a listing is one request and not one for each. The
/// first listing that finds the row old enough marks the incident and then fills the row in. A change of a marked incident blanks the row
/// first. A blank row is always true, since its reader reads the incident.
/// </summary>
internal sealed class IncidentIndex(TableRows rows)
{
    private readonly GroupedPuts _puts = new(rows);

    public const string Claim = "Claim";
    private const string Id = "Id";
    private const string Runbook = "Runbook";
    private const string ClosedAt = "ClosedAt";
    private const string Left = "left-";
    private const string Shape = "Shape";
    private const string State = "State";
    private const int LargestPage = 1_000;

    /// <summary>A row of another version of the program may lack fields that this version shows, or the state.</summary>
    private static readonly string s_shape = TableKeys.Hash(string.Join(
        ',', typeof(IncidentSummary).GetProperties().Select(property => property.Name).Append($"row.{State}.marked")))[..16];

    /// <summary>A recently changed incident may soon change again, and each change of a marked one costs one more write.</summary>
    public static readonly TimeSpan FilledAfter = TimeSpan.FromMinutes(5);

    /// <summary>While programs are replaced one by one, an older one may change an open incident without knowing of its row.</summary>
    private static readonly TimeSpan s_believed = TimeSpan.FromHours(1);

    /// <summary>A blank row where the incident belongs; it replaces a filled one.</summary>
    public Task PutAsync(IncidentSummary incident, CancellationToken cancellationToken) =>
        PutAsync(incident, First(!incident.State.IsFinal()), cancellationToken);

    /// <summary>With it the next listing need not read the incident. Another change meanwhile wins.</summary>
    public async Task FillAsync(TableEntity row, IncidentSummary incident, CancellationToken cancellationToken)
    {
        if (TryFill(row, incident))
        {
            await rows.ReplaceAsync(row, row.ETag, cancellationToken);
        }
    }

    /// <returns>False when the summary is too large for a row.</returns>
    internal static bool TryFill(TableEntity row, IncidentSummary incident)
    {
        row[Shape] = s_shape;
        row[State] = incident.State.ToString();
        return PackedJson.TryPut(row, PackedJson.Summary, PackedJson.Pack(incident));
    }

    /// <returns>Null where the incident itself has to be read.</returns>
    public static IncidentSummary? SummaryIn(TableEntity row, DateTimeOffset now) =>
        row.GetString(Shape) == s_shape && !(IsOpen(row) && row.Timestamp < now - s_believed)
            ? PackedJson.Find<IncidentSummary>(row, PackedJson.Summary)
            : null;

    /// <summary>Before the incident is written: one that people are not done with must be in an index, or it would be forgotten.</summary>
    public Task PutLeftAsync(IncidentSummary incident, CancellationToken cancellationToken) => PutAsync(incident, Left, cancellationToken);

    public Task<TableEntity?> FindLeftAsync(IncidentSummary incident, CancellationToken cancellationToken) =>
        rows.FindAsync(Left + TableKeys.Day(incident.OpenedAt), RowOf(incident), ["PartitionKey", "RowKey"], cancellationToken);

    public Task RemoveLeftAsync(IncidentSummary incident, CancellationToken cancellationToken) =>
        rows.RemoveAsync(Left + TableKeys.Day(incident.OpenedAt), RowOf(incident), ETag.All, cancellationToken);

    private Task PutAsync(IncidentSummary incident, string index, CancellationToken cancellationToken) =>
        _puts.PutAsync(Blank(incident, index), cancellationToken);

    internal static TableEntity Blank(IncidentSummary incident) => Blank(incident, First(!incident.State.IsFinal()));

    private static TableEntity Blank(IncidentSummary incident, string index)
    {
        var row = new TableEntity(index + TableKeys.Day(incident.OpenedAt), RowOf(incident))
        {
            // Binary, since an id may have any characters.
            [Id] = Encoding.UTF8.GetBytes(incident.Id),
            [Runbook] = TableKeys.Hash(incident.RunbookId),
            [Claim] = TableKeys.Claim(incident.RunbookId, incident.TargetKey ?? incident.Target),
        };
        if (incident.State.IsFinal())
        {
            // An end does not change, so a blank row may have it too.
            row[State] = incident.State.ToString();
        }

        if (incident.ClosedAt is { } closed)
        {
            row[ClosedAt] = closed.UtcTicks;
        }

        return row;
    }

    public Task RemoveAsync(IncidentSummary incident, bool open, CancellationToken cancellationToken) =>
        rows.RemoveAsync(Partition(open, incident.OpenedAt), RowOf(incident), ETag.All, cancellationToken);

    public Task RemoveAsync(TableEntity row, CancellationToken cancellationToken) =>
        rows.RemoveAsync(row.PartitionKey, row.RowKey, ETag.All, cancellationToken);

    /// <summary>Unless somebody has put it again since it was read.</summary>
    public Task RemoveUnchangedAsync(TableEntity row, CancellationToken cancellationToken) =>
        rows.RemoveAsync(row.PartitionKey, row.RowKey, row.ETag, cancellationToken);

    /// <summary>Put into the new index first and then removed from the old one, so that it is always in one of them.</summary>
    public async Task MoveAsync(IncidentSummary incident, CancellationToken cancellationToken)
    {
        await PutAsync(incident, cancellationToken);
        await RemoveAsync(incident, open: incident.State.IsFinal(), cancellationToken);
    }

    public IAsyncEnumerable<TableEntity> ReadAsync(
        bool open, IncidentQuery query, IncidentCursor? after, int pageSize, CancellationToken cancellationToken) =>
        ReadAsync(First(open), query, after, pageSize, cancellationToken);

    public async Task<int> CountOpenAsync(DateTimeOffset since, int most, CancellationToken cancellationToken)
    {
        var counted = 0;
        await using var open = ReadAsync(
            open: true, new IncidentQuery(Since: since), null, most, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (counted < most && await open.MoveNextAsync())
        {
            counted++;
        }

        return counted;
    }

    public IAsyncEnumerable<TableEntity> ReadLeftAsync(
        IncidentQuery query, IncidentCursor? after, int pageSize, CancellationToken cancellationToken) =>
        ReadAsync(Left, query, after, pageSize, cancellationToken);

    private IAsyncEnumerable<TableEntity> ReadAsync(
        string index, IncidentQuery query, IncidentCursor? after, int pageSize, CancellationToken cancellationToken)
    {
        var from = after is null ? index : index + TableKeys.Day(after.OpenedAt);
        var filter = TableClient.CreateQueryFilter($"PartitionKey ge {from} and PartitionKey lt {Last(index)}");
        if (after is not null)
        {
            filter += " and " + TableClient.CreateQueryFilter($"RowKey gt {TableKeys.Moment(after.OpenedAt, after.Tie)}");
        }

        if (query.Since is { } earliest)
        {
            // Both keys: the day limits what is read, the moment limits the earliest day. '.' comes after every '-'.
            var moment = TableKeys.Moment(earliest, "")[..^1] + ".";
            filter += " and " + TableClient.CreateQueryFilter($"PartitionKey le {index + TableKeys.Day(earliest)} and RowKey lt {moment}");
        }

        if (query.RunbookId is { } runbookId)
        {
            filter += " and " + TableClient.CreateQueryFilter($"Runbook eq {TableKeys.Hash(runbookId)}");
        }

        if (query.State is { } state && state.IsFinal() && index != Left)
        {
            filter += " and " + TableClient.CreateQueryFilter($"State eq {state.ToString()}");
        }

        return rows.QueryAsync(filter, pageSize, cancellationToken);
    }

    /// <summary>The number of ended incidents in each state, without reading one of them.</summary>
    /// <returns>Null where there are more.</returns>
    public async Task<IReadOnlyDictionary<IncidentState, int>?> CountEndedAsync(int most, CancellationToken cancellationToken)
    {
        var counts = new Dictionary<IncidentState, int>();
        var (counted, filter) = (0, TableClient.CreateQueryFilter($"PartitionKey ge {First(false)} and PartitionKey lt {Last(First(false))}"));
        await foreach (var row in rows.QueryAsync(filter, LargestPage, cancellationToken, ["PartitionKey", "RowKey", State]))
        {
            if (++counted > most)
            {
                return null;
            }

            // A row from before this column has no state, and one of a newer version may have an unknown one.
            if (Enum.TryParse<IncidentState>(row.GetString(State), out var state))
            {
                counts[state] = counts.GetValueOrDefault(state) + 1;
            }
        }

        return counts;
    }

    /// <summary>An incident that ended before a day cannot have been opened after it, so later days are not read.</summary>
    public IAsyncEnumerable<TableEntity> ReadEndedAsync(DateTimeOffset before, CancellationToken cancellationToken) =>
        rows.QueryAsync(
            TableClient.CreateQueryFilter(
                $"PartitionKey ge {Partition(false, before)} and PartitionKey lt {Last(First(false))} and ClosedAt lt {before.UtcTicks}"),
            LargestPage,
            cancellationToken);

    public static string IdOf(TableEntity row) => Encoding.UTF8.GetString(row.GetBinary(Id));

    public static string IncidentKeyOf(TableEntity row) => row.RowKey[(row.RowKey.IndexOf('-', StringComparison.Ordinal) + 1)..];

    public static bool IsLeft(TableEntity row) => row.PartitionKey.StartsWith(Left, StringComparison.Ordinal);

    public static bool IsOpen(TableEntity row) => row.PartitionKey.StartsWith(First(true), StringComparison.Ordinal);

    private static string RowOf(IncidentSummary incident) => TableKeys.Moment(incident.OpenedAt, TableKeys.Hash(incident.Id));

    private static string Partition(bool open, DateTimeOffset openedAt) => First(open) + TableKeys.Day(openedAt);

    private static string First(bool open) => open ? "open-" : "closed-";

    // '.' is the character after '-'.
    private static string Last(string index) => index[..^1] + ".";
}

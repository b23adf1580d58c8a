namespace Runbooks.Web.Console;

/// <summary><c>GET /statistics</c>. Counted from the listing, at most once a minute and at most so many incidents, whoever asks.</summary>
public sealed class StatisticsHandler(IIncidentStore store, TimeProvider time, HttpRequestRunner runner)
{
    private const int MaxCounted = 10_000;
    private const int PageSize = 500;
    private static readonly TimeSpan s_fresh = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private Task<StatisticsModel>? _latest;
    private long _begun;

    public Task<IResult> ShowAsync(HttpRequest request) => runner.RunAsync(request, async cancellationToken =>
        new PageResult<StatisticsPage>(new { Model = await LatestAsync().WaitAsync(cancellationToken) }), Caller.Person);

    /// <summary>Counted for everybody who waits; whoever leaves does not stop it for the others.</summary>
    private Task<StatisticsModel> LatestAsync()
    {
        lock (_gate)
        {
            if (_latest is not { IsFaulted: false } || (_latest.IsCompleted && time.GetElapsedTime(_begun) >= s_fresh))
            {
                (_latest, _begun) = (CountAsync(time.GetUtcNow()), time.GetTimestamp());
            }

            return _latest;
        }
    }

    private async Task<StatisticsModel> CountAsync(DateTimeOffset now)
    {
        var incidents = new List<IncidentSummary>();
        await foreach (var incident in store.ListAllAsync(new IncidentQuery(Limit: PageSize, Since: now.AddDays(-StatisticsModel.DaysShown)), CancellationToken.None))
        {
            if (incidents.Count == MaxCounted)
            {
                break;
            }

            incidents.Add(incident);
        }

        return StatisticsModel.Of(incidents, incidents.Count == MaxCounted, now);
    }
}

using Microsoft.AspNetCore.Http;
using Runbooks.Model.Storage;
using Runbooks.Web.Http;
using Runbooks.Web.Pages;

namespace Runbooks.Web.Console;

/// <summary><c>GET /statistics</c>. Counted from the listing, at most once a minute and at most so many incidents, whoever asks.</summary>
public sealed class StatisticsHandler(IIncidentStore store, TimeProvider time, HttpRequestRunner edge)
{
    private const int MaxCounted = 10_000;
    private const int PageSize = 500;
    private static readonly TimeSpan s_fresh = TimeSpan.FromMinutes(1);

    private StatisticsModel? _latest;

    public Task<IResult> ShowAsync(HttpRequest request) => edge.RunAsync(request, async cancellationToken =>
        new PageResult<StatisticsPage>(new { Model = await ReadAsync(cancellationToken) }), Caller.Person);

    private async Task<StatisticsModel> ReadAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (Volatile.Read(ref _latest) is { } latest && now - latest.At < s_fresh)
        {
            return latest;
        }

        var incidents = new List<IncidentSummary>();
        await foreach (var incident in store.ListAllAsync(new IncidentQuery(Limit: PageSize, Since: now.AddDays(-StatisticsModel.DaysShown)), cancellationToken))
        {
            if (incidents.Count == MaxCounted)
            {
                break;
            }

            incidents.Add(incident);
        }

        latest = StatisticsModel.Of(incidents, incidents.Count == MaxCounted, now);
        Volatile.Write(ref _latest, latest);
        return latest;
    }
}

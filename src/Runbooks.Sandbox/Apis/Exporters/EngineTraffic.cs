namespace Runbooks.Sandbox.Apis.Exporters;

/// <summary>What a model server goes through, as stretches of time in which its load is the same.</summary>
/// <param name="Rate">Requests that it finishes in a second.</param>
/// <param name="FirstToken">The median time to the first token, in seconds.</param>
internal sealed record Stretch(DateTimeOffset From, DateTimeOffset To, double Rate, double FirstToken, double Running, double Waiting)
{
    public const double PromptTokens = 420;
    public const double AnswerTokens = 180;

    // Log-logistic: half are below the median, nearly all below four times of it.
    public static double ShareBelow(double bound, double median) => double.IsInfinity(bound) ? 1 : 1 / (1 + Math.Pow(median / bound, 4));

    public double TotalSeconds(DateTimeOffset until) => Math.Max(0, ((To < until ? To : until) - From).TotalSeconds);
}

/// <summary>How busy each model server is. It follows from the pods and the time, so that nothing has to be measured.</summary>
internal sealed class EngineTraffic(
    SandboxClusters clusters, [FromKeyedServices(EngineTraffic.Began)] FirstAsked chatLoad, SandboxOptions options)
{
    public const string Began = "exporters/chat-load";
    private const string Chat = "chat-vllm";

    /// <summary>What one chat server finishes in a second at most, and what users send in ordinary and in busy times.</summary>
    private const double Capacity = 4;
    private const double OrdinaryDemand = 5;
    private const double BusyDemand = 14;

    private static readonly TimeSpan s_climb = TimeSpan.FromMinutes(6);
    private const int ClimbSteps = 12;

    public void Reset() => chatLoad.Reset();

    /// <summary>From when its server could be asked on, in order and without a gap.</summary>
    public IReadOnlyList<Stretch> Of(SandboxPod pod, PodLife life, DateTimeOffset until)
    {
        if (life.ReadyAt > until)
        {
            return [];
        }

        return pod.App == Chat ? [.. ChatStretches(life, until)] : [.. Stretches(life, until)];
    }

    private static IEnumerable<Stretch> Stretches(PodLife life, DateTimeOffset until)
    {
        // A server that has only just come up has no work yet.
        var warm = life.ReadyAt + TimeSpan.FromSeconds(1);
        yield return new(life.ReadyAt, warm, 0, 0.2, 0, 0);
        var hung = life.HungAt ?? DateTimeOffset.MaxValue;
        var climbs = hung == DateTimeOffset.MaxValue ? hung : hung - s_climb;
        yield return new(warm, climbs, 5, 0.2, 12, 0);
        if (climbs == DateTimeOffset.MaxValue)
        {
            yield break;
        }

        for (var i = 0; i < ClimbSteps; i++)
        {
            var part = (i + 1) / (double)ClimbSteps;
            yield return new(climbs + (s_climb * i / ClimbSteps), climbs + (s_climb * (i + 1) / ClimbSteps), 5 * (1 - (part * 0.8)), 0.2 + (part * 9), 12 + (part * 4), Math.Round(part * 48));
        }

        yield return new(hung, DateTimeOffset.MaxValue, 0, 10, 16, 48);
    }

    private IEnumerable<Stretch> ChatStretches(PodLife life, DateTimeOffset until)
    {
        var began = chatLoad.At;
        var (busyFrom, busyTo) = (began - s_climb, began + options.LoadLastsFor);
        var lives = clusters.All.SelectMany(cluster => cluster.PodsEver()).Where(pod => pod.App == Chat).SelectMany(pod => pod.Lives).ToList();
        var edges = lives.SelectMany(each => new[] { each.ReadyAt, each.DeletedAt ?? DateTimeOffset.MaxValue })
            .Concat([busyFrom, busyTo, life.ReadyAt])
            .Where(at => at >= life.ReadyAt && at <= until).Distinct().Order().Append(DateTimeOffset.MaxValue).ToList();
        foreach (var (from, to) in edges.Zip(edges.Skip(1)))
        {
            var servers = Math.Max(1, lives.Count(each => each.ReadyAt <= from && !(each.DeletedAt <= from)));
            var demand = (from >= busyFrom && from < busyTo ? BusyDemand : OrdinaryDemand) / servers;
            yield return demand > Capacity
                ? new(from, to, Capacity, 6 + demand, 32, Math.Round((demand - Capacity) * 20))
                : new(from, to, demand, 0.25, Math.Round(demand * 6), 0);
        }
    }
}

/// <summary>The traffic of one pod in one of its lives.</summary>
internal sealed record PodTraffic(EngineTraffic Traffic, SandboxPod Pod, PodLife Life)
{
    /// <summary>How busy it is at this time; null before it could be asked.</summary>
    public Stretch? At(DateTimeOffset at) => Traffic.Of(Pod, Life, at).LastOrDefault(stretch => stretch.From <= at);

    /// <summary>How many requests were finished by then, weighed by what each of them counts.</summary>
    public double Finished(DateTimeOffset at, Func<Stretch, double> each) => Traffic.Of(Pod, Life, at).Sum(stretch => stretch.TotalSeconds(at) * stretch.Rate * each(stretch));
}

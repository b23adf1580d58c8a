using Runbooks.Catalog.Templates;

namespace Runbooks.Integrations.Kubernetes;

internal sealed class PodCheck(Clusters clusters)
    : ClusterCheck<PodCheckParameters>(
        "kubernetes.pod",
        "Looks whether a pod runs, is ready, and still writes to its log. One that is not ready may still load its model: "
            + "it is unknown while its startup probe has not passed, or for as long as that takes (`loadsFor`). "
            + "One of which a container ended and was started anew within 5 minutes is unknown. "
            + "Of one that is gone, and whose controller gives each pod another name, the youngest in its place is looked at.")
{
    private const int LongestLine = 64 * 1024;

    public override string Role => "Azure Kubernetes Service RBAC Reader, or a Kubernetes role with: get and list pods, get pods/log";

    protected override async Task<CheckResult> MeasureAsync(
        PodCheckParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var pods = clusters.Pods(parameters.Cluster, Role);
        if (await pods.FindAsync(parameters.Namespace, parameters.Pod, cancellationToken) is { } pod)
        {
            return await JudgeAsync(pods, parameters, new PodSigns(pod), context.Time, cancellationToken) with { Link = pods.Link };
        }

        if (await YoungestSiblingAsync(pods, parameters, cancellationToken) is not { } sibling)
        {
            return CheckResult.Failing($"There is no pod {parameters.Namespace}/{parameters.Pod} on cluster {pods.Cluster}.");
        }

        var judged = await JudgeAsync(pods, parameters, new PodSigns(sibling), context.Time, cancellationToken);
        return judged with { Summary = $"{parameters.Pod} is gone; the youngest in its place: {judged.Summary}", Link = pods.Link };
    }

    private static async Task<V1Pod?> YoungestSiblingAsync(
        ClusterPods pods, PodCheckParameters parameters, CancellationToken cancellationToken) =>
        GeneratedPodName.SiblingsOf(parameters.Pod) is null ? null : (await pods.ListAsync(parameters.Namespace, cancellationToken))
            .Where(pod => GeneratedPodName.AreSiblings(parameters.Pod, pod.Metadata.Name))
            .MaxBy(pod => (pod.Metadata.DeletionTimestamp is null, pod.Metadata.CreationTimestamp));

    private static async Task<CheckResult> JudgeAsync(
        ClusterPods pods, PodCheckParameters parameters, PodSigns signs, TimeProvider time, CancellationToken cancellationToken)
    {
        var known = $"{signs.Pod.Metadata.Name}: {signs.Text}";
        if (signs.Trouble is { } trouble)
        {
            return signs.Starting(time.GetUtcNow(), parameters.LoadsFor) is { } starting
                ? CheckResult.Unknown($"{known}; {starting}.")
                : CheckResult.Failing($"{known}; {trouble}.");
        }

        var heard = parameters.QuietFor == TimeSpan.Zero
            ? CheckResult.Passing($"{known}.")
            : await ListenAsync(pods, parameters, signs, known, time, cancellationToken);
        return heard.Verdict == Verdict.Passing && signs.StartedAnew(time.GetUtcNow()) is { } anew
            ? heard with
            {
                Verdict = Verdict.Unknown,
                Summary = $"{heard.Summary.TrimEnd('.')}; {anew}, so whether it stays is not known yet.",
            }
            : heard;
    }

    private static async Task<CheckResult> ListenAsync(
        ClusterPods pods,
        PodCheckParameters parameters,
        PodSigns signs,
        string known,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        var container = signs.ContainerName(parameters.Container);
        DateTimeOffset? last;
        try
        {
            last = await LastLineAsync(pods, signs.Pod, container, cancellationToken);
        }
        catch (Exception unread) when (unread is ClusterException or StepRefusedException)
        {
            return CheckResult.Unknown($"{known}, but whether it still logs is not known: {unread.Message}");
        }

        if ((last ?? signs.Started(container)) is not { } since)
        {
            return CheckResult.Unknown($"{known}, but it has no log to tell whether it works.");
        }

        var quiet = time.GetUtcNow() - since;
        var silent = quiet > parameters.QuietFor;
        // A pod that never wrote a line may not write any: its silence proves nothing.
        var age = Measurement.Age(quiet);
        var (verdict, words) = (last, silent) switch
        {
            (null, true) => (Verdict.Unknown, $"nothing logged since its start {age} ago, so its log does not tell whether it works"),
            (null, false) => (Verdict.Passing, $"nothing logged since its start {age} ago"),
            (_, true) => (Verdict.Failing, $"last log line {age} ago, longer than {Measurement.Age(parameters.QuietFor)}"),
            _ => (Verdict.Passing, $"last log line {age} ago"),
        };
        return new CheckResult(verdict, $"{known}; {words}.")
        {
            Value = Measurement.Age(quiet),
            Threshold = $"> {Measurement.Age(parameters.QuietFor)}",
        };
    }

    private static async Task<DateTimeOffset?> LastLineAsync(
        ClusterPods pods, V1Pod pod, string container, CancellationToken cancellationToken)
    {
        await using var log = await pods.LogAsync(
            pod.Metadata.NamespaceProperty, pod.Metadata.Name, container, previous: false, lines: 1, cancellationToken);
        if (log is null)
        {
            return null;
        }

        var buffer = new byte[LongestLine];
        var read = await log.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        var stamp = Encoding.UTF8.GetString(buffer, 0, Math.Min(read, 64)).Split(' ', 2)[0];
        return DateTimeOffset.TryParse(stamp, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null;
    }
}

public abstract record PodParameters : ClusterParameters
{
    [Required, KubernetesName]
    [Description("The pod's namespace.")]
    public required string Namespace { get; init; }

    [Required, KubernetesName(Subdomain = true)]
    [Description("The pod.")]
    public required string Pod { get; init; }
}

public sealed record PodCheckParameters : PodParameters
{
    [KubernetesName]
    [Description("The container whose log is looked at; the pod's default one when left out.")]
    public string? Container { get; init; }

    [Range(typeof(TimeSpan), "00:00:00", "7.00:00:00")]
    [Description("A pod whose last log line is older than this counts as hung although it is ready; "
        + "one that never logged a line is unknown then. `0s` to not look at its log, as for a server that logs nothing while it has "
        + "no requests.")]
    public TimeSpan QuietFor { get; init; } = TimeSpan.FromMinutes(5);

    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    [Description("How long its containers take to be ready at most, such as to load a model. "
        + "One that was started less than this ago, or whose startup probe has not passed yet, may still be loading: "
        + "it is unknown, and no sign of a hang.")]
    public TimeSpan LoadsFor { get; init; } = TimeSpan.FromMinutes(10);
}

internal sealed record PodSigns(V1Pod Pod)
{
    private const string DefaultContainer = "kubectl.kubernetes.io/default-container";

    /// <summary>The longest that Kubernetes waits before it restarts a container that ends again and again.</summary>
    private static readonly TimeSpan s_longestPause = TimeSpan.FromMinutes(5);

    public bool IsReady => Pod.Metadata.DeletionTimestamp is null
        && Pod.Status?.Phase == "Running"
        && Pod.Status.Conditions?.Any(condition => condition is { Type: "Ready", Status: "True" }) == true;

    public int Restarts => Counted.Sum(status => status.RestartCount);

    public string? Trouble => this switch
    {
        { Pod.Metadata.DeletionTimestamp: not null } => "being deleted",
        { IsReady: true } => null,
        _ when FailedInit is { } failed => failed,
        _ when Waiting is { } reason => reason,
        { Pod.Status.Phase: "Running" } => "running but not ready",
        _ => Pod.Status?.Reason ?? $"in phase {Pod.Status?.Phase ?? "unknown"}{NoMachine}",
    };

    /// <summary>
    /// Which of its containers may be ready soon, in words; null where one that is not ready cannot be. A server that loads is not
    /// ready and does not answer, like one that hangs: only how long it runs, or a startup probe, tells them apart.
    /// </summary>
    /// <seealso href="https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-probes"/>
    public string? Starting(DateTimeOffset now, TimeSpan loadsFor)
    {
        var late = Pod.Metadata.DeletionTimestamp is null && FailedInit is null
            ? Lasting.Where(status => !status.Ready).Select(Words).ToList()
            : null;
        return late is null || late.Contains(null) ? null : late.FirstOrDefault();

        string? Words(V1ContainerStatus status) => status.State switch
        {
            { Running.StartedAt: { } at } when status.Started == false || now - at < loadsFor =>
                $"{status.Name} was started {Measurement.Age(now - at)} ago and is not ready: it may still load",
            { Waiting.Reason: ("ContainerCreating" or "PodInitializing") and var reason } when now - Pod.Status!.StartTime < loadsFor =>
                $"{status.Name} is not started yet ({reason}), "
                    + $"{Measurement.Age(now - Pod.Status.StartTime!.Value)} after its machine got it",
            _ => null,
        };
    }

    public string ContainerName(string? asked) => asked
        ?? (Pod.Metadata.Annotations?.TryGetValue(DefaultContainer, out var name) == true ? name : Pod.Spec.Containers[0].Name);

    public DateTime? Started(string container) =>
        Pod.Status?.ContainerStatuses?.FirstOrDefault(status => status.Name == container)?.State?.Running?.StartedAt;

    /// <summary>
    /// Which container was restarted just now, in words; null for none. Between two crashes a container without a readiness probe is
    /// ready from its first second.
    /// </summary>
    /// <seealso href="https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy"/>
    public string? StartedAnew(DateTimeOffset now)
    {
        var restarted = Lasting.FirstOrDefault(
            status => status.LastState?.Terminated is not null && now - status.State?.Running?.StartedAt < s_longestPause);
        if (restarted is null)
        {
            return null;
        }

        var after = restarted.LastState.Terminated.Reason is { } why ? $" after {why}" : "";
        return $"{restarted.Name} was started anew {Measurement.Age(now - restarted.State.Running.StartedAt!.Value)} ago{after}";
    }

    /// <summary>For example <c>Running, ready, 2 restarts (last: OOMKilled), 1 GPU</c>.</summary>
    public string Text => string.Join(", ", Lines.Of(
        Pod.Status?.Phase ?? "no phase",
        IsReady ? "ready" : "not ready",
        RestartsText + (LastEnd is { } why ? $" (last: {why})" : ""),
        Gpus > 0 ? $"{Gpus.ToString("0.##", CultureInfo.InvariantCulture)} GPU" : null));

    private string RestartsText => Restarts switch { 0 => "no restarts", 1 => "1 restart", var many => $"{many} restarts" };

    private string NoMachine => Unscheduled is { } why ? $": no machine takes it ({Clip.To(why.TrimEnd('.'), 300)})" : "";

    private string? Unscheduled =>
        Pod.Status?.Conditions?.FirstOrDefault(condition => condition is { Type: "PodScheduled", Status: "False" })?.Message;

    private string? Waiting => Lasting.Select(status => status.State?.Waiting?.Reason).FirstOrDefault(reason => reason is not null);

    private string? LastEnd => Counted.Select(status => status.LastState?.Terminated?.Reason).FirstOrDefault(reason => reason is not null);

    /// <summary>The containers that run as long as the pod: its own, and the sidecars, which Kubernetes lists among the init containers.</summary>
    /// <seealso href="https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/"/>
    private IEnumerable<V1ContainerStatus> Lasting => Inits.Where(IsSidecar).Concat(Pod.Status?.ContainerStatuses ?? []);

    private bool IsSidecar(V1ContainerStatus status) =>
        Pod.Spec.InitContainers?.Any(one => one.Name == status.Name && one.RestartPolicy == "Always") == true;

    /// <summary>The containers whose restarts count, as <c>kubectl</c> counts them: an init container that is done does not.</summary>
    private IEnumerable<V1ContainerStatus> Counted => IsInitialized ? Lasting : Inits.Concat(Pod.Status?.ContainerStatuses ?? []);

    private IEnumerable<V1ContainerStatus> Inits => Pod.Status?.InitContainerStatuses ?? [];

    private bool IsInitialized => Pod.Status?.Conditions?.Any(condition => condition is { Type: "Initialized", Status: "True" }) == true;

    /// <summary>Which init container fails, and with what; meanwhile all the others wait.</summary>
    private string? FailedInit => IsInitialized ? null : Inits.Select(status => status.State switch
    {
        { Waiting.Reason: not ("ContainerCreating" or "PodInitializing") and { } reason } => $"init container {status.Name}: {reason}",
        { Terminated: { ExitCode: not 0 } ended } => $"init container {status.Name}: {ended.Reason ?? "Error"}",
        _ => null,
    }).FirstOrDefault(failed => failed is not null);

    public decimal Gpus => Pod.Spec.Containers
        .SelectMany(container => container.Resources?.Limits ?? new Dictionary<string, ResourceQuantity>())
        .Where(limit => limit.Key.EndsWith("/gpu", StringComparison.Ordinal))
        .Sum(limit => limit.Value.ToDecimal());
}

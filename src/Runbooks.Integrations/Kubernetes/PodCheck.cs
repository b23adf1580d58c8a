using System.Globalization;
using System.Text;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Kubernetes;

/// <summary>Looks at a pod for the signs of a zombie: not ready, or ready and silent.</summary>
internal sealed class PodCheck(Clusters clusters)
    : Check<PodCheckParameters>("kubernetes.pod", "Looks whether a pod runs, is ready, and still writes to its log.")
{
    private const int LongestLine = 64 * 1024;

    public override string Role => "Azure Kubernetes Service RBAC Reader, or a Kubernetes role with: get pods and pods/log";

    protected override async Task<CheckResult> AskAsync(PodCheckParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        try
        {
            var pods = clusters.Pods(parameters.Cluster);
            return await pods.FindAsync(parameters.Namespace, parameters.Pod, cancellationToken) is { } pod
                ? await JudgeAsync(pods, parameters, new PodSigns(pod), context.Time, cancellationToken) with { Link = pods.Link }
                : CheckResult.Failing($"There is no pod {parameters.Namespace}/{parameters.Pod} on cluster {pods.Cluster}.");
        }
        catch (Exception failed) when (failed is ClusterException or StepRefusedException)
        {
            return CheckResult.Unknown(failed.Message);
        }
    }

    private static async Task<CheckResult> JudgeAsync(
        ClusterPods pods, PodCheckParameters parameters, PodSigns signs, TimeProvider time, CancellationToken cancellationToken)
    {
        var known = $"{parameters.Pod}: {signs.Words}";
        if (signs.Trouble is { } trouble)
        {
            return CheckResult.Failing($"{known}; {trouble}.");
        }

        if (parameters.QuietFor == TimeSpan.Zero)
        {
            return CheckResult.Passing($"{known}.");
        }

        var container = signs.ContainerName(parameters.Container);
        DateTimeOffset? last;
        try
        {
            last = await LastLineAsync(pods, parameters, container, cancellationToken) ?? signs.Started(container);
        }
        catch (Exception unread) when (unread is ClusterException or StepRefusedException)
        {
            return CheckResult.Unknown($"{known}, but whether it still logs is not known: {unread.Message}");
        }

        if (last is null)
        {
            return CheckResult.Unknown($"{known}, but it has no log to tell whether it works.");
        }

        var quiet = time.GetUtcNow() - last.Value;
        var silent = quiet > parameters.QuietFor;
        return new CheckResult(
            silent ? Verdict.Failing : Verdict.Passing,
            $"{known}; last log line {Words(quiet)} ago" + (silent ? ": alive but answering nothing." : "."))
        {
            Value = Words(quiet),
            Threshold = $"> {Words(parameters.QuietFor)}",
        };
    }

    private static async Task<DateTimeOffset?> LastLineAsync(ClusterPods pods, PodCheckParameters parameters, string container, CancellationToken cancellationToken)
    {
        await using var log = await pods.LogAsync(parameters.Namespace, parameters.Pod, container, previous: false, stamped: true, lines: 1, cancellationToken);
        if (log is null)
        {
            return null;
        }

        var buffer = new byte[LongestLine];
        var read = await log.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        var stamp = Encoding.UTF8.GetString(buffer, 0, Math.Min(read, 64)).Split(' ', 2)[0];
        return DateTimeOffset.TryParse(stamp, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null;
    }

    private static string Words(TimeSpan time) => time switch
    {
        { TotalSeconds: < 120 } => FormattableString.Invariant($"{Math.Max(0, time.TotalSeconds):0} s"),
        { TotalMinutes: < 120 } => FormattableString.Invariant($"{Math.Floor(time.TotalMinutes):0} min"),
        { TotalHours: < 48 } => FormattableString.Invariant($"{Math.Floor(time.TotalHours):0} h"),
        _ => FormattableString.Invariant($"{Math.Floor(time.TotalDays):0} d"),
    };
}

using k8s.Models;
using Runbooks.Catalog.Steps;

namespace Runbooks.Integrations.Kubernetes;

/// <summary>Keeps the end of a pod's logs as evidence, under names that a second attempt finds again.</summary>
internal sealed class PodLogKeeper(ClusterPods pods, StepContext context, string uid)
{
    private const int MaxLines = 5000;
    internal const int MaxBytes = 1024 * 1024;
    private readonly List<string> _kept = [];

    /// <summary>References of the evidence store.</summary>
    public IReadOnlyList<string> Kept => _kept;

    /// <summary>For the record: what became of the logs.</summary>
    public string Words { get; private set; } = "";

    /// <summary>A zombie is not spared for its logs: when they cannot be read, that is said and the recycling goes on.</summary>
    public async Task KeepAsync(V1Pod pod, string? container, CancellationToken cancellationToken)
    {
        var name = new PodSigns(pod).ContainerName(container);
        try
        {
            await KeepAsync(pod, name, previous: false, cancellationToken);
            await KeepAsync(pod, name, previous: true, cancellationToken);
            Words = _kept.Count == 0 ? "It had no logs to keep." : "Its last logs are kept.";
        }
        catch (Exception unread) when (unread is ClusterException or StepRefusedException)
        {
            Words = $"Its logs could not be kept: {unread.Message}";
        }
    }

    /// <summary>After an interrupted attempt: the logs that it kept before the pod went.</summary>
    public async Task FindKeptAsync(string podName, CancellationToken cancellationToken)
    {
        foreach (var previous in new[] { false, true })
        {
            var reference = $"{context.IncidentId}/{FileName(podName, previous)}";
            await using var content = await context.Evidence.OpenAsync(reference, cancellationToken);
            if (content is not null)
            {
                _kept.Add(reference);
            }
        }

        Words = _kept.Count == 0 ? "" : "Its last logs are kept.";
    }

    private async Task KeepAsync(V1Pod pod, string container, bool previous, CancellationToken cancellationToken)
    {
        await using var log = await pods.LogAsync(pod.Metadata.NamespaceProperty, pod.Metadata.Name, container, previous, stamped: true, MaxLines, cancellationToken);
        if (log is null)
        {
            return;
        }

        using var all = new MemoryStream();
        await log.CopyToAsync(all, cancellationToken);
        if (all.Length > 0)
        {
            var start = StartOf(all.GetBuffer().AsSpan(0, (int)all.Length));
            using var content = new MemoryStream(all.GetBuffer(), start, (int)all.Length - start, writable: false);
            _kept.Add(await context.Evidence.SaveAsync(context.IncidentId, FileName(pod.Metadata.Name, previous), content, cancellationToken));
        }
    }

    /// <summary>The end is what tells: the beginning is cut when it is too long, between two lines, and behind a private key whose own beginning is missing.</summary>
    internal static int StartOf(ReadOnlySpan<byte> log)
    {
        var start = log.Length <= MaxBytes ? 0 : AfterLine(log, log.Length - MaxBytes);
        var (begin, end) = (log[start..].IndexOf("-----BEGIN "u8), log[start..].IndexOf("-----END "u8));
        return end >= 0 && (begin < 0 || end < begin) && log.Slice(start + end, Math.Min(60, log.Length - start - end)).IndexOf("PRIVATE KEY"u8) >= 0 ? AfterLine(log, start + end) : start;
    }

    private static int AfterLine(ReadOnlySpan<byte> log, int at) => log[at..].IndexOf((byte)'\n') is var length and >= 0 ? at + length + 1 : at;

    // The store allows 100 characters; pod names may have 253.
    private string FileName(string podName, bool previous) =>
        $"{(podName.Length > 60 ? podName[..60] : podName)}-{uid[..Math.Min(8, uid.Length)]}{(previous ? "-previous" : "")}.log";
}

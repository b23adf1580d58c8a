using System.Globalization;
using System.Text;

namespace Runbooks.Sandbox.Apis.Kubernetes;

/// <summary>What a life has logged so far: made from its times, so that nothing has to be kept.</summary>
internal static class PodLog
{
    private const int LinesKept = 400;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private static readonly string[] LastWords =
    [
        "WARNING KV cache is 97% full, preempting sequence group",
        "ERROR torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB, 312.00 MiB is free",
        "WARNING engine loop has not advanced for 10 s, 48 requests waiting",
    ];

    public static IEnumerable<(DateTimeOffset At, string Text)> Lines(PodLife life, DateTimeOffset now)
    {
        if (life.ReadyAt > now)
        {
            yield return (life.CreatedAt, "INFO loading model weights");
            yield break;
        }

        var end = new[] { now, life.HungAt ?? now, life.DeletedAt ?? now }.Min();
        var last = (long)((end - life.ReadyAt) / Pause);
        var first = Math.Max(0, last - LinesKept + 1);
        if (first == 0)
        {
            yield return (life.CreatedAt, "INFO loading model weights");
            yield return (life.ReadyAt, "INFO model loaded, ready to serve");
        }

        for (var i = Math.Max(1, first); i <= last; i++)
        {
            var at = life.ReadyAt + (i * Pause);
            var fromEnd = (int)Math.Min(last - i, int.MaxValue);
            yield return (at, life.IsHung(now) && fromEnd < LastWords.Length ? LastWords[^(fromEnd + 1)] : Served(i));
        }
    }

    /// <summary>With the time in front, as <c>timestamps=true</c> writes it.</summary>
    public static string Stamped((DateTimeOffset At, string Text) line) =>
        line.At.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffffff00Z", CultureInfo.InvariantCulture) + " " + line.Text;

    private static string Served(long i) =>
        string.Create(CultureInfo.InvariantCulture, $"INFO POST /v1/completions 200 tokens={40 + (i * 37 % 400)} ms={220 + (i * 53 % 700)}");
}

/// <summary>The log subresource with <c>container</c>, <c>previous</c>, <c>tailLines</c>, <c>limitBytes</c> and <c>timestamps</c>.</summary>
internal static class PodLogEndpoint
{
    public static IResult Read(HttpRequest request, SandboxCluster cluster, SandboxPod pod, PodLife life, DateTimeOffset now)
    {
        var query = request.Query;
        var main = PodView.ContainerSpec(cluster.WorkloadOf(pod)).Name;
        if (query["container"].ToString() is { Length: > 0 } container && container != main)
        {
            return KubernetesStatus.Error(400, "BadRequest", $"container {container} is not valid for pod {pod.Name}");
        }

        if (query["previous"] == "true")
        {
            if (pod.Before(life) is not { } before)
            {
                return KubernetesStatus.Error(400, "BadRequest", $"previous terminated container \"{main}\" in pod \"{pod.Name}\" not found");
            }

            life = before;
        }

        var lines = PodLog.Lines(life, now).ToList();
        if (Number(query["tailLines"]) is { } tail)
        {
            lines = [.. lines.TakeLast((int)Math.Min(tail, int.MaxValue))];
        }

        var text = string.Concat(lines.Select(line => (query["timestamps"] == "true" ? PodLog.Stamped(line) : line.Text) + "\n"));
        var bytes = Encoding.UTF8.GetBytes(text);
        var limit = (int)Math.Min(Number(query["limitBytes"]) ?? bytes.Length, bytes.Length);
        return Results.Bytes(bytes.AsMemory(0, limit), "text/plain");
    }

    private static long? Number(string? text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}

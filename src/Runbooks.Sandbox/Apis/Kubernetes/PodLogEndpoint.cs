using System.Globalization;
using System.Text;

namespace Runbooks.Sandbox.Apis.Kubernetes;

/// <summary>The log subresource with <c>container</c>, <c>previous</c>, <c>tailLines</c>, <c>limitBytes</c> and <c>timestamps</c>.</summary>
internal static class PodLogEndpoint
{
    public static IResult Read(HttpRequest request, PracticePod pod, PodLife life, DateTimeOffset now)
    {
        var query = request.Query;
        if (query["container"].ToString() is { Length: > 0 } container && container != pod.Container)
        {
            return KubernetesStatus.Error(400, "BadRequest", $"container {container} is not valid for pod {pod.Name}");
        }

        if (query["previous"] == "true")
        {
            if (pod.Before(life) is not { } before)
            {
                return KubernetesStatus.Error(400, "BadRequest", $"previous terminated container \"{pod.Container}\" in pod \"{pod.Name}\" not found");
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

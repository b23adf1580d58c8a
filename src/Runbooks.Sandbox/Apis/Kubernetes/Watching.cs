using System.Globalization;
using System.Text;
using k8s;
using k8s.Models;

namespace Runbooks.Sandbox.Apis.Kubernetes;

/// <summary>
/// A watch: what changed since the version that the client has seen, and from then on. Nothing is kept for it: versions
/// are moments in milliseconds, and what there was at a moment can be worked out.
/// </summary>
internal static class Watching
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(30);

    public static async Task RunAsync(HttpContext http, ResourceType type, Func<DateTimeOffset, IEnumerable<IKubernetesObject<V1ObjectMeta>>> at, TimeProvider time)
    {
        var query = http.Request.Query;
        var until = time.GetUtcNow() + (int.TryParse(query["timeoutSeconds"], CultureInfo.InvariantCulture, out var seconds) ? TimeSpan.FromSeconds(seconds) : Longest);
        var known = long.TryParse(query["resourceVersion"], CultureInfo.InvariantCulture, out var version) && version > 0
            ? at(DateTimeOffset.FromUnixTimeMilliseconds(version)).Where(item => VersionOf(item) <= version).ToDictionary(item => item.Metadata.Uid)
            : [];
        var asTable = Tables.IsWanted(http.Request);
        http.Response.ContentType = "application/json";
        await http.Response.StartAsync(http.RequestAborted);
        while (!http.RequestAborted.IsCancellationRequested && time.GetUtcNow() < until)
        {
            var now = time.GetUtcNow();
            var current = at(now).ToDictionary(item => item.Metadata.Uid);
            var events = known.Values.Where(item => !current.ContainsKey(item.Metadata.Uid)).Select(item => ("DELETED", item))
                .Concat(current.Values.Where(item => !known.ContainsKey(item.Metadata.Uid)).Select(item => ("ADDED", item)))
                .Concat(current.Values.Where(item => known.TryGetValue(item.Metadata.Uid, out var before) && VersionOf(before) < VersionOf(item)).Select(item => ("MODIFIED", item)));
            foreach (var (kind, item) in events)
            {
                var shown = asTable ? Tables.Of(type, [item], now, new V1ListMeta { ResourceVersion = item.Metadata.ResourceVersion }) : item;
                await http.Response.WriteAsync($"{{\"type\":\"{kind}\",\"object\":{KubernetesJson.Serialize(shown)}}}\n", Encoding.UTF8, http.RequestAborted);
            }

            await http.Response.Body.FlushAsync(http.RequestAborted);
            known = current;
            await Task.Delay(Pause, time, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static long VersionOf(IKubernetesObject<V1ObjectMeta> item) => long.Parse(item.Metadata.ResourceVersion, CultureInfo.InvariantCulture);
}

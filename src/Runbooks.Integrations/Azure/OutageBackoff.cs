using System.Collections.Concurrent;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;

namespace Runbooks.Integrations.Azure;

/// <summary>
/// While a service of Azure does not answer, it is not asked by everybody in turn: after some failures in a row, calls fail at
/// once with the reason, and one of them is let through after a pause that grows. Each resource provider of Resource Manager
/// counts by itself: that one is down says nothing of the others.
/// </summary>
internal sealed class OutageBackoff(TimeProvider time) : HttpPipelinePolicy
{
    private const int FailuresInARow = 5;
    private const int MostServices = 1_000;

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, Outage> _services = new(StringComparer.OrdinalIgnoreCase);

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) => throw new NotSupportedException("Calls of Azure are asynchronous.");

    /// <exception cref="RequestFailedException">The service is not asked now.</exception>
    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        var service = ServiceOf(message.Request.Uri.ToUri());
        if (_services.TryGetValue(service, out var outage) && outage.Left(time.GetUtcNow()) is { } left)
        {
            throw new RequestFailedException($"It has not answered {outage.Failures} times in a row, so it is asked again in {Math.Ceiling(left.TotalSeconds):0} s.");
        }

        try
        {
            await ProcessNextAsync(message, pipeline);
        }
        catch (Exception silence) when (silence is RequestFailedException or AggregateException or HttpRequestException or IOException
            || (silence is OperationCanceledException && !message.CancellationToken.IsCancellationRequested))
        {
            Fail(service);
            throw;
        }
        catch
        {
            // Whoever asked gave up, or had no token: that says nothing.
            outage?.GiveUp();
            throw;
        }

        if (message.Response.Status is 502 or 503 or 504)
        {
            Fail(service);
        }
        else
        {
            _services.TryRemove(service, out _);
        }
    }

    private void Fail(string service)
    {
        if (_services.Count < MostServices || _services.ContainsKey(service))
        {
            _services.GetOrAdd(service, _ => new()).Fail(time.GetUtcNow());
        }
    }

    /// <summary>The host, and of Resource Manager the provider: <c>management.azure.com/Microsoft.Cdn</c>.</summary>
    private static string ServiceOf(Uri uri)
    {
        const string Providers = "/providers/";
        var at = uri.AbsolutePath.IndexOf(Providers, StringComparison.OrdinalIgnoreCase);
        return at < 0 ? uri.Authority : $"{uri.Authority}/{uri.AbsolutePath[(at + Providers.Length)..].Split('/', 2)[0]}";
    }

    private sealed class Outage
    {
        private readonly Lock _gate = new();
        private DateTimeOffset _until;
        private bool _probing;

        public int Failures { get; private set; }

        /// <returns>Null for whoever may ask; of those that come after the pause only the first.</returns>
        public TimeSpan? Left(DateTimeOffset now)
        {
            lock (_gate)
            {
                if (Failures < FailuresInARow)
                {
                    return null;
                }

                if (now >= _until && !_probing)
                {
                    _probing = true;
                    return null;
                }

                return now < _until ? _until - now : FirstPause;
            }
        }

        public void GiveUp()
        {
            lock (_gate)
            {
                _probing = false;
            }
        }

        public void Fail(DateTimeOffset now)
        {
            lock (_gate)
            {
                _probing = false;
                Failures++;
                var pause = FirstPause * Math.Pow(2, Math.Clamp(Failures - FailuresInARow, 0, 10));
                _until = now + (pause < LongestPause ? pause : LongestPause);
            }
        }
    }
}

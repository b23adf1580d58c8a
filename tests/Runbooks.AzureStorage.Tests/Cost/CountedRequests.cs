using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Azure.Core;
using Azure.Core.Pipeline;

namespace Runbooks.AzureStorage.Tests.Cost;

/// <summary>Counts the requests to an account: what asked for them, and what they touch.</summary>
internal sealed partial class CountedRequests : HttpPipelinePolicy
{
    /// <summary>The cause of what the test itself asks.</summary>
    public const string Nobody = "the test";

    private static readonly AsyncLocal<string?> s_cause = new();

    private readonly ConcurrentQueue<CountedRequest> _requests = new();
    private int _underWay;
    private int _mostAtOnce;

    /// <summary>Requests that were under way at the same time.</summary>
    public int MostAtOnce => _mostAtOnce;

    /// <summary>What is counted. Looking for messages, and who owns which queue, go on whether there is work or not: neither is counted.</summary>
    public IReadOnlyList<CountedRequest> Requests => [.. _requests.Where(request => request.Cause != Nobody && request is not { Touches: "hub queues", Method: "GET" } and not { Touches: "hub partitions" })];

    public static async Task<T> CausedByAsync<T>(string cause, Func<Task<T>> work)
    {
        s_cause.Value = cause;
        return await work();
    }

    public void Clear()
    {
        _requests.Clear();
        _mostAtOnce = 0;
    }

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        Note(message.Request);
        ProcessNext(message, pipeline);
    }

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        Note(message.Request);
        _mostAtOnce = Math.Max(_mostAtOnce, Interlocked.Increment(ref _underWay));
        await ProcessNextAsync(message, pipeline);
        Interlocked.Decrement(ref _underWay);
    }

    /// <summary>A table for people: what asked, what was touched, how often.</summary>
    public string Describe()
    {
        var text = new StringBuilder();
        foreach (var group in Requests.GroupBy(request => (request.Cause, request.Touches, request.Method)).OrderBy(group => group.Key))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{group.Count(),4} | {group.Key.Cause,-16} | {group.Key.Touches,-22} | {group.Key.Method}");
        }

        return text.AppendLine(CultureInfo.InvariantCulture, $"{Requests.Count,4} together").ToString();
    }

    private void Note(Request request) => _requests.Enqueue(new(s_cause.Value ?? "the hub", Touched(request.Uri.ToString()), request.Method.Method));

    private static string Touched(string address)
    {
        var path = Uri.UnescapeDataString(address).Split("/devstoreaccount1/", 2)[^1];
        return path switch
        {
            _ when path.Contains("/messages", StringComparison.Ordinal) => "hub queues",
            _ when Hub().Match(path) is { Success: true } hub => $"hub {hub.Value.ToLowerInvariant()}",
            _ when path.StartsWith("$batch", StringComparison.Ordinal) => "hub history",
            _ when path.StartsWith('s') => "shared state",
            _ when path.StartsWith('i') && Row().Match(path) is { Success: true } row => $"incident table, {row.Groups["row"].Value}",
            _ when path.StartsWith('i') && Index().Match(path) is { Success: true } index => $"incident table, {index.Groups["index"].Value} index",
            _ when path.StartsWith('i') => "incident table",
            _ => path.Split('?', '(')[0],
        };
    }

    [GeneratedRegex("History|Instances|Partitions")]
    private static partial Regex Hub();

    [GeneratedRegex("RowKey='(?<row>[a-z]+)'")]
    private static partial Regex Row();

    [GeneratedRegex("PartitionKey (=|eq |ge )?'(?<index>[a-z]+)-|PartitionKey='(?<index>[a-z]+)-")]
    private static partial Regex Index();
}

/// <param name="Cause">The activity, or what else asked.</param>
internal sealed record CountedRequest(string Cause, string Touches, string Method)
{
    public bool IsOfHub => Touches.StartsWith("hub ", StringComparison.Ordinal);
}

using System.Collections.Concurrent;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using TestKit;

namespace RunbookServer.Tests.Telemetry;

/// <summary>A collector: takes OTLP over HTTP as opentelemetry-proto defines it, and keeps the spans and the names of metrics.</summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;

    private OtlpReceiver(WebApplication app, Uri address) => (_app, Address) = (app, address);

    public Uri Address { get; }

    public ConcurrentQueue<OtlpSpan> Spans { get; } = [];

    public ConcurrentDictionary<string, string> Metrics { get; } = [];

    public static async Task<OtlpReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add($"http://127.0.0.1:{FreePort.Next()}");
        var receiver = new OtlpReceiver(app, new Uri(app.Urls.Single()));
        app.MapPost("/v1/traces", async (HttpRequest request) => receiver.ReadTraces(await BodyAsync(request)));
        app.MapPost("/v1/metrics", async (HttpRequest request) => receiver.ReadMetrics(await BodyAsync(request)));
        await app.StartAsync(TestContext.Current.CancellationToken);
        return receiver;
    }

    /// <summary>What a process is told, so that it sends here, soon.</summary>
    public Dictionary<string, string> Variables => new()
    {
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = Address.ToString(),
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        ["OTEL_BSP_SCHEDULE_DELAY"] = "50",
        ["OTEL_METRIC_EXPORT_INTERVAL"] = "200",
        ["OTEL_SERVICE_NAME"] = "runbooks-of-a-test",
    };

    /// <summary>The spans of a trace once they are as wanted.</summary>
    public Task<IReadOnlyList<OtlpSpan>> UntilAsync(Func<IReadOnlyList<OtlpSpan>, bool> met) => Patience.UntilAsync<IReadOnlyList<OtlpSpan>>(
        () => Task.FromResult<IReadOnlyList<OtlpSpan>?>(Spans.ToList() is var spans && met(spans) ? spans : null),
        () => $"The spans did not come to it: {string.Join(", ", Spans.Select(span => span.Name))}");

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private static async Task<byte[]> BodyAsync(HttpRequest request)
    {
        request.ContentType.ShouldBe("application/x-protobuf");
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body);
        return body.ToArray();
    }

    private void ReadTraces(byte[] body)
    {
        foreach (var resource in Fields(body, 1))
        {
            var service = Attributes(Fields(resource, 1).Single(), 1)["service.name"];
            foreach (var span in Fields(resource, 2).SelectMany(scope => Fields(scope, 2)))
            {
                Spans.Enqueue(new(
                    Hex(span, 1), Hex(span, 2), Hex(span, 4), Text(span, 5), Number(span, 6), At(span, 7), At(span, 8), Attributes(span, 9),
                    Fields(span, 15).Select(status => Number(status, 3)).FirstOrDefault() == 2, service));
            }
        }
    }

    private void ReadMetrics(byte[] body)
    {
        foreach (var metric in Fields(body, 1).SelectMany(resource => Fields(resource, 2)).SelectMany(scope => Fields(scope, 2)))
        {
            Metrics[Text(metric, 1)] = Text(metric, 3);
        }
    }

    private static Dictionary<string, string> Attributes(byte[] message, int field) =>
        Fields(message, field).ToDictionary(pair => Text(pair, 1), pair => Text(Fields(pair, 2).Single(), 1));

    private static string Hex(byte[] message, int field) => Convert.ToHexStringLower(Fields(message, field).FirstOrDefault() ?? []);

    private static string Text(byte[] message, int field) => System.Text.Encoding.UTF8.GetString(Fields(message, field).FirstOrDefault() ?? []);

    private static long Number(byte[] message, int field) => Read(message).Where(one => one.Field == field).Select(one => (long)one.Number).FirstOrDefault();

    private static DateTimeOffset At(byte[] message, int field) => DateTimeOffset.UnixEpoch.AddTicks(Number(message, field) / 100);

    private static IEnumerable<byte[]> Fields(byte[] message, int field) => Read(message).Where(one => one.Field == field && one.Bytes is not null).Select(one => one.Bytes!);

    private static IEnumerable<(int Field, byte[]? Bytes, ulong Number)> Read(byte[] message)
    {
        var input = new CodedInputStream(message);
        while (input.ReadTag() is var tag && tag != 0)
        {
            var field = WireFormat.GetTagFieldNumber(tag);
            yield return WireFormat.GetTagWireType(tag) switch
            {
                WireFormat.WireType.LengthDelimited => (field, input.ReadBytes().ToByteArray(), 0),
                WireFormat.WireType.Fixed64 => (field, null, input.ReadFixed64()),
                WireFormat.WireType.Fixed32 => (field, null, input.ReadFixed32()),
                _ => (field, null, input.ReadUInt64()),
            };
        }
    }
}

internal sealed record OtlpSpan(
    string TraceId, string Id, string Parent, string Name, long Kind, DateTimeOffset Began, DateTimeOffset Ended, IReadOnlyDictionary<string, string> Attributes, bool Failed, string Service);

using System.Diagnostics.CodeAnalysis;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;

namespace Runbooks.AzureStorage;

/// <summary>
/// A message that somebody else has taken meanwhile is gone for us, as if it had been deleted. Durable Task's provider
/// knows only the latter as no fault; after the other it would count the activity as running for ever.
/// </summary>
internal sealed class TakenMessagePolicy : HttpPipelinePolicy
{
    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        ProcessNext(message, pipeline);
        Translate(message);
    }

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        await ProcessNextAsync(message, pipeline);
        Translate(message);
    }

    private static void Translate(HttpMessage message)
    {
        if (message.Response is { Status: 400 } answer && answer.Headers.TryGetValue("x-ms-error-code", out var code) && code == "PopReceiptMismatch")
        {
            message.Response = new Gone(answer);
        }
    }

    private sealed class Gone(Response answer) : Response
    {
        public override int Status => 404;

        public override string ReasonPhrase => answer.ReasonPhrase;

        public override Stream? ContentStream
        {
            get => answer.ContentStream;
            set => answer.ContentStream = value;
        }

        public override string ClientRequestId
        {
            get => answer.ClientRequestId;
            set => answer.ClientRequestId = value;
        }

        public override void Dispose() => answer.Dispose();

        protected override bool ContainsHeader(string name) => answer.Headers.Contains(name);

        protected override IEnumerable<HttpHeader> EnumerateHeaders() => answer.Headers;

        protected override bool TryGetHeader(string name, [NotNullWhen(true)] out string? value) => answer.Headers.TryGetValue(name, out value);

        protected override bool TryGetHeaderValues(string name, [NotNullWhen(true)] out IEnumerable<string>? values) => answer.Headers.TryGetValues(name, out values);
    }
}

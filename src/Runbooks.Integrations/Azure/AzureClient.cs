using Azure;
using Azure.Core.Pipeline;
using Azure.Identity;

namespace Runbooks.Integrations.Azure;

/// <summary>Sends requests to one Azure endpoint, with errors in words and long-running operations followed to their end.</summary>
internal sealed class AzureClient(HttpPipeline pipeline, Uri endpoint)
{
    private static readonly string[] s_errorWords = ["code", "message", "title", "detail"];
    private static readonly int[] s_notFollowed = [401, 403, 404];
    private static readonly TimeSpan DefaultPause = TimeSpan.FromSeconds(5);

    /// <summary>Azure keeps no request open for longer.</summary>
    private static readonly TimeSpan LongestAnswer = TimeSpan.FromMinutes(4);

    /// <exception cref="StepRefusedException">The identity may not do this; the role and the resource are named. Or nobody knows it there.</exception>
    /// <exception cref="AzureRequestException">Anything else that is not 2xx and not understood by the caller.</exception>
    public async Task<AzureResponse> SendAsync(AzureRequest call, CancellationToken cancellationToken)
    {
        using var message = Message(call);
        try
        {
            await pipeline.SendAsync(message, cancellationToken);
        }
        catch (AuthenticationFailedException failed)
        {
            throw new AzureRequestException($"No token to {call.What} on {call.On}: {Cut(failed.Message)}", inner: failed);
        }
        catch (Exception unreachable) when (unreachable is RequestFailedException or AggregateException or HttpRequestException or IOException
            || (unreachable is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new AzureRequestException($"{call.On} cannot be reached to {call.What}: {Cut(unreachable.Message)}", inner: unreachable);
        }

        return Read(call, message.Response);
    }

    /// <summary>
    /// The same, and when Azure only accepted the request, waits until the operation has succeeded; where there is none to follow, the
    /// answer says so. A PUT or PATCH that is answered while the resource is still being provisioned is waited for as well.
    /// An operation does not lie below the resource, so whoever may change the resource may still not be allowed to follow the
    /// operation: the change was accepted all the same, and is no refusal.
    /// </summary>
    /// <exception cref="AzureRequestException">The operation failed or was cancelled.</exception>
    /// <seealso href="https://github.com/Azure/azure-resource-manager-rpc/blob/master/v1.0/async-api-reference.md"/>
    /// <seealso href="https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations"/>
    public async Task<AzureResponse> SendToEndAsync(AzureRequest call, TimeProvider time, CancellationToken cancellationToken)
    {
        var answer = await SendAsync(call, cancellationToken);
        while (answer.Poll is { } poll)
        {
            await Task.Delay(answer.RetryAfter ?? DefaultPause, time, cancellationToken);
            var look = new AzureRequest(RequestMethod.Get, Trusted(poll, call), call.What, call.On, call.Role) { Understood = s_notFollowed };
            var state = await SendAsync(look, cancellationToken);
            if (s_notFollowed.Contains(state.Status))
            {
                answer = answer with
                {
                    Poll = null,
                    NotFollowed = state.Status == 404
                        ? "Azure does not know the operation (404)."
                        : $"This identity may not follow the operation ({state.Status}): that is not below the resource, and takes a right at the subscription. Azure says: {ErrorWords(state.Body)}",
                };
                break;
            }

            switch (OperationStatus(state.Body))
            {
                case "Failed" or "Canceled" or "Cancelled":
                    throw new AzureRequestException($"{call.On} accepted to {call.What}, but it ended as {OperationStatus(state.Body)}: {ErrorWords(state.Body)}");
                case "Succeeded" or null when state.Status != 202:
                    return state;
            }

            answer = state with { Poll = state.Poll ?? poll };
        }

        if (call.Method != RequestMethod.Put && call.Method != RequestMethod.Patch)
        {
            return answer;
        }

        if (answer.NotFollowed is null)
        {
            return await UntilProvisionedAsync(call, answer, time, cancellationToken);
        }

        // The resource itself tells when the change has failed; that it succeeded may be said of what was there before it.
        var resource = new AzureRequest(RequestMethod.Get, call.Uri, call.What, call.On, call.Role) { Understood = [404] };
        await UntilProvisionedAsync(call, await SendAsync(resource, cancellationToken), time, cancellationToken);
        return answer;
    }

    /// <summary>Looks again while Azure is at work on the resource: Succeeded, Failed and Canceled are the states that last.</summary>
    /// <param name="answer">What the resource was like at last.</param>
    /// <exception cref="AzureRequestException">It ended as failed or cancelled.</exception>
    public async Task<AzureResponse> UntilProvisionedAsync(AzureRequest call, AzureResponse answer, TimeProvider time, CancellationToken cancellationToken)
    {
        while (answer.Status is 200 or 201 && ProvisioningState(answer.Body) is { } state && !state.Equals("Succeeded", StringComparison.OrdinalIgnoreCase))
        {
            if (state.Equals("Failed", StringComparison.OrdinalIgnoreCase) || state.Equals("Canceled", StringComparison.OrdinalIgnoreCase))
            {
                throw new AzureRequestException($"{call.On} took the request to {call.What}, but it ended as {state}.");
            }

            await Task.Delay(answer.RetryAfter ?? DefaultPause, time, cancellationToken);
            answer = await SendAsync(new AzureRequest(RequestMethod.Get, call.Uri, call.What, call.On, call.Role), cancellationToken);
        }

        return answer;
    }

    private HttpMessage Message(AzureRequest call)
    {
        var message = pipeline.CreateMessage();
        // What is not sent again has the time that the step or the check has: giving it up early leaves its outcome unknown.
        message.NetworkTimeout = IdempotentRetryPolicy.IsRead(call.Method) ? null : LongestAnswer;
        var request = message.Request;
        request.Method = call.Method;
        request.Uri.Reset(call.Uri);
        Header(request, "Accept", call.Accept ?? "application/json");
        Header(request, "If-Match", call.IfMatch);
        Header(request, "If-None-Match", call.IfNoneMatch);
        if (call.Body is not null)
        {
            Header(request, "Content-Type", call.ContentType);
            request.Content = RequestContent.Create(call.Body);
        }

        return message;
    }

    private static void Header(Request request, string name, string? value)
    {
        if (value is not null)
        {
            request.Headers.SetValue(name, value);
        }
    }

    private static AzureResponse Read(AzureRequest call, Response response)
    {
        var body = response.Content;
        if (response.Status is < 200 or > 299 && !call.Understood.Contains(response.Status))
        {
            throw Refused(call, response.Status, body);
        }

        var follow = response.Headers.TryGetValue("Azure-AsyncOperation", out var operation) ? operation
            : response.Status == 202 && response.Headers.TryGetValue("Location", out var location) ? location
            : null;
        return new AzureResponse(
            response.Status,
            response.Headers.TryGetValue("ETag", out var etag) ? etag : null,
            body,
            follow is null ? null : new Uri(call.Uri, follow),
            response.Headers.TryGetValue("Retry-After", out var after) && int.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? TimeSpan.FromSeconds(seconds) : null);
    }

    private static Exception Refused(AzureRequest call, int status, BinaryData body) => status switch
    {
        401 => new StepRefusedException($"{call.On} does not know this identity (401), so it may not {call.What}. Are both of the same tenant? Azure says: {ErrorWords(body)}"),
        403 => new StepRefusedException($"This identity lacks the role {call.Role} on {call.On}, so it may not {call.What}. Azure says: {ErrorWords(body)}"),
        412 => new AzureRequestException($"{call.On} was changed by somebody else at this moment, so nothing was written to {call.What}.", status),
        _ => new AzureRequestException($"{call.On} answered {status} to: {call.What}. {ErrorWords(body)}".TrimEnd(), status),
    };

    /// <summary>Where an answer sends the caller: the token goes along, so only to the endpoint itself or a regional host of it.</summary>
    public Uri Trusted(Uri poll, AzureRequest call) =>
        poll.Scheme == endpoint.Scheme && poll.Port == endpoint.Port
        && (poll.Host == endpoint.Host || poll.Host.EndsWith("." + endpoint.Host, StringComparison.OrdinalIgnoreCase))
            ? poll
            : throw new AzureRequestException($"The answer of {call.On} goes on at {poll.Host}, which is not a host of {endpoint.Host}.");

    private static string? ProvisioningState(BinaryData body) =>
        Parse(body) is { ValueKind: JsonValueKind.Object } json && json.TryGetProperty("properties", out var properties) && properties.ValueKind == JsonValueKind.Object
        && properties.TryGetProperty("provisioningState", out var state) && state.ValueKind == JsonValueKind.String
            ? state.GetString()
            : null;

    private static string? OperationStatus(BinaryData body) =>
        Parse(body) is { ValueKind: JsonValueKind.Object } json && json.TryGetProperty("status", out var status) && status.ValueKind == JsonValueKind.String
            ? status.GetString()
            : null;

    /// <summary>ARM: <c>error.message</c>; problem details: <c>title</c>, <c>detail</c>; else the text.</summary>
    private static string ErrorWords(BinaryData body)
    {
        var json = Parse(body);
        if (json.ValueKind == JsonValueKind.Object && json.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object)
        {
            json = error;
        }

        var words = json.ValueKind == JsonValueKind.Object
            ? string.Join(": ", s_errorWords.Select(name => json.TryGetProperty(name, out var text) ? text.ToString() : "").Where(text => text.Length > 0))
            : "";
        return Cut(words.Length > 0 ? words : body.ToString());
    }

    private static JsonElement Parse(BinaryData body)
    {
        try
        {
            return body.ToMemory().IsEmpty ? default : JsonSerializer.Deserialize<JsonElement>(body);
        }
        catch (JsonException)
        {
            return default;
        }
    }

    private static string Cut(string text) => Clip.To(text.Trim(), 300);
}

/// <summary>One request to Azure.</summary>
/// <param name="What">In words, for errors: <c>set the key x</c>.</param>
/// <param name="On">The resource, for errors.</param>
/// <param name="Role">The role that allows it, for errors.</param>
internal sealed record AzureRequest(RequestMethod Method, Uri Uri, string What, string On, string Role)
{
    /// <summary>JSON; null for none.</summary>
    public BinaryData? Body { get; init; }

    public string ContentType { get; init; } = "application/json";

    public string? Accept { get; init; }

    /// <summary>With its quotes, or <c>*</c>.</summary>
    public string? IfMatch { get; init; }

    public string? IfNoneMatch { get; init; }

    /// <summary>Statuses beside 2xx that the caller understands; any other is an exception.</summary>
    public IReadOnlyCollection<int> Understood { get; init; } = [];
}

/// <summary>What Azure answered.</summary>
/// <param name="ETag">With its quotes.</param>
/// <param name="Poll">Where a long-running operation is followed; null when there is none.</param>
/// <param name="RetryAfter">How long to wait before that.</param>
internal sealed record AzureResponse(int Status, string? ETag, BinaryData Body, Uri? Poll, TimeSpan? RetryAfter)
{
    /// <summary>Why the operation that Azure named was not followed to its end; null when it was, or when there was none.</summary>
    public string? NotFollowed { get; init; }

    /// <summary>Azure took the request on, and gave nothing to follow or nothing that this identity may follow: what came of it is not known.</summary>
    public bool IsOnlyAccepted => NotFollowed is not null || (Status == 202 && Poll is null);

    /// <param name="done">What to say when it is done: <c>Restarted it.</c></param>
    /// <param name="what">What was asked for: <c>restart it</c>.</param>
    public string Words(string done, string what) =>
        IsOnlyAccepted ? $"Azure accepted the request to {what}, and does not tell when that is done. {NotFollowed}".TrimEnd() : done;
}

/// <summary>Azure could not be asked or answered with an error; the message is for people. Trying again may help.</summary>
internal sealed class AzureRequestException(string message, int status = 0, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>0 when there was no answer.</summary>
    public int Status => status;
}

/// <summary>
/// Azure.Core repeats every request, a POST that may have been carried out included. Here only reads are repeated, and
/// whatever was answered 429: that was turned away before it did anything. A Retry-After is honoured.
/// </summary>
internal sealed class IdempotentRetryPolicy(int retries, TimeSpan delay)
    : RetryPolicy(retries, DelayStrategy.CreateExponentialDelayStrategy(delay, TimeSpan.FromSeconds(30)))
{
    protected override bool ShouldRetry(HttpMessage message, Exception? exception) =>
        MayRepeat(message) && base.ShouldRetry(message, exception);

    protected override ValueTask<bool> ShouldRetryAsync(HttpMessage message, Exception? exception) =>
        MayRepeat(message) ? base.ShouldRetryAsync(message, exception) : ValueTask.FromResult(false);

    public static bool IsRead(RequestMethod method) => method == RequestMethod.Get || method == RequestMethod.Head;

    private static bool MayRepeat(HttpMessage message) =>
        IsRead(message.Request.Method)
        || (message.HasResponse && message.Response.Status == 429);
}

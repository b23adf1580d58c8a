using Azure;
using Azure.Core.Pipeline;
using Azure.Identity;

namespace Runbooks.Integrations.Azure;

internal sealed partial class AzureClient(HttpPipeline pipeline, Uri endpoint)
{
    private static readonly int[] s_notFollowed = [401, 403, 404];

    private static readonly TimeSpan s_defaultPause = TimeSpan.FromSeconds(5);

    /// <summary>Azure keeps no request open for longer.</summary>
    private static readonly TimeSpan s_longestAnswer = TimeSpan.FromMinutes(4);

    public async Task<AzureResponse> SendAsync(AzureRequest call, CancellationToken cancellationToken)
    {
        using var message = Message(call);
        try
        {
            await pipeline.SendAsync(message, cancellationToken);
        }
        catch (AuthenticationFailedException failed)
        {
            throw new AzureRequestException(
                $"No token to {call.What} on {call.On}: {Cut(failed.Message)}", inner: failed) { IsSilent = true, NothingDone = true };
        }
        catch (Exception unreachable) when (unreachable is RequestFailedException or AggregateException or HttpRequestException or IOException
            || (unreachable is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new AzureRequestException($"{call.On} {Cut(OwnNetwork.Describe(unreachable, call.What))}", inner: unreachable)
            {
                IsSilent = true,
                NothingDone = unreachable is NotAskedException || NeverSent.Is(unreachable),
            };
        }

        return Read(call, message.Response);
    }

    /// <summary>
    /// Like <see cref="SendAsync"/>. When Azure only accepted the request, it waits until the operation has succeeded; where there is
    /// none to follow, the answer says so. It also waits after a PUT or PATCH while the resource is being provisioned.
    /// An operation is not below the resource, so an identity that may change the resource may still not be allowed to follow the
    /// operation. The change was accepted all the same, and that is no refusal.
    /// </summary>
    /// <seealso href="https://github.com/Azure/azure-resource-manager-rpc/blob/master/v1.0/async-api-reference.md"/>
    /// <seealso href="https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations"/>
    public async Task<AzureResponse> SendToEndAsync(
        AzureRequest call, TimeProvider time, CancellationToken cancellationToken, StepProgress? progress = null)
    {
        var answer = await SendAsync(call, cancellationToken);
        while (answer.Poll is { } poll)
        {
            progress?.Report($"{call.On} took the request to {call.What}, and Azure is still at work on it");
            await Task.Delay(answer.RetryAfter ?? s_defaultPause, time, cancellationToken);
            var look = new AzureRequest(RequestMethod.Get, Trusted(poll, call), call.What, call.On, call.Role) { Understood = s_notFollowed };
            var state = await LookAsync(look, time, progress, cancellationToken);
            if (s_notFollowed.Contains(state.Status))
            {
                answer = answer with
                {
                    Poll = null,
                    NotFollowed = state.Status == 404
                        ? "Azure does not know the operation (404)."
                        : $"This identity may not follow the operation ({state.Status}): "
                            + "that is not below the resource, and takes a right at the subscription. Azure says: "
                            + $"{ErrorWords(state.Body)}",
                };
                break;
            }

            switch (OperationStatus(state.Body))
            {
                case "Failed" or "Canceled" or "Cancelled":
                    throw new AzureRequestException($"{call.On} accepted to {call.What}, but it ended as "
                        + $"{OperationStatus(state.Body)}: {ErrorWords(state.Body)}");
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
            return await UntilProvisionedAsync(call, answer, time, cancellationToken, progress);
        }

        // The resource tells when the change has failed. That it succeeded may still be about what was there before.
        var resource = new AzureRequest(RequestMethod.Get, call.Uri, call.What, call.On, call.Role) { Understood = [404] };
        await UntilProvisionedAsync(call, await LookAsync(resource, time, progress, cancellationToken), time, cancellationToken, progress);
        return answer;
    }

    public async Task<AzureResponse> UntilProvisionedAsync(
        AzureRequest call, AzureResponse answer, TimeProvider time, CancellationToken cancellationToken, StepProgress? progress = null)
    {
        (answer, var failed) = await UntilAtRestAsync(call, answer, time, cancellationToken, progress);
        return failed is null
            ? answer
            : throw new AzureRequestException($"{call.On} took the request to {call.What}, but it ended as {failed}.");
    }

    /// <summary>Like <see cref="UntilProvisionedAsync"/>, with the end as a result. Succeeded, Failed and Canceled are the lasting states.</summary>
    /// <returns>And the state, where it is failed or cancelled; null where what the resource shows is in force.</returns>
    public async Task<(AzureResponse Answer, string? Failed)> UntilAtRestAsync(
        AzureRequest call, AzureResponse answer, TimeProvider time, CancellationToken cancellationToken, StepProgress? progress = null)
    {
        while (answer.Status is 200 or 201
            && ProvisioningState(answer.Body) is { } state
            && !state.Equals("Succeeded", StringComparison.OrdinalIgnoreCase))
        {
            if (state.Equals("Failed", StringComparison.OrdinalIgnoreCase) || state.Equals("Canceled", StringComparison.OrdinalIgnoreCase))
            {
                return (answer, state);
            }

            await Task.Delay(answer.RetryAfter ?? s_defaultPause, time, cancellationToken);
            answer = await LookAsync(
                new AzureRequest(RequestMethod.Get, call.Uri, call.What, call.On, call.Role), time, progress, cancellationToken);
        }

        return (answer, null);
    }

    /// <summary>
    /// Asks how a change is getting on. No answer says nothing about the change, so Azure is asked again until the caller has no time
    /// left.
    /// </summary>
    public static async Task<T> UntilAnsweredAsync<T>(
        AzureRequest change, Func<Task<T>> look, TimeProvider time, StepProgress? progress, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await look();
            }
            catch (AzureRequestException nobody) when (nobody.IsSilent)
            {
                progress?.Report($"{change.On} took the request to {change.What}, and cannot be asked how that goes: "
                    + $"{nobody.Message.TrimEnd('.')}");
                await Task.Delay(nobody.RetryAfter ?? s_defaultPause, time, cancellationToken);
            }
        }
    }

    private async Task<AzureResponse> LookAsync(
        AzureRequest look, TimeProvider time, StepProgress? progress, CancellationToken cancellationToken)
    {
        try
        {
            return await UntilAnsweredAsync(look, () => SendAsync(look, cancellationToken), time, progress, cancellationToken);
        }
        catch (AzureRequestException odd)
        {
            // The error is about this read, and not about the change.
            throw new AzureRequestException(
                $"{look.On} took the request to {look.What}, and does not tell how that goes: {odd.Message}", odd.Status, odd);
        }
    }

    private HttpMessage Message(AzureRequest call)
    {
        var message = pipeline.CreateMessage();
        message.SetProperty(typeof(AzureRequest), call);
        // Giving up a change early would leave its outcome unknown, and a query of logs may take long: both have the time of their step
        // or check.
        message.NetworkTimeout = call.Method == RequestMethod.Get ? null : s_longestAnswer;
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
            throw Refused(call, response);
        }

        var follow = response.Headers.TryGetValue("Azure-AsyncOperation", out var operation) ? operation
            : response.Status == 202 && response.Headers.TryGetValue("Location", out var location) ? location
            : null;
        return new AzureResponse(
            response.Status,
            response.Headers.TryGetValue("ETag", out var etag) ? etag : null,
            body,
            follow is null ? null : new Uri(call.Uri, follow),
            RetryAfter(response));
    }

    /// <summary>
    /// Where an answer sends the caller. The token goes along, so only the endpoint itself or a regional host of it is trusted.
    /// </summary>
    public Uri Trusted(Uri poll, AzureRequest call) =>
        poll.Scheme == endpoint.Scheme && poll.Port == endpoint.Port
        && (poll.Host == endpoint.Host || poll.Host.EndsWith("." + endpoint.Host, StringComparison.OrdinalIgnoreCase))
            ? poll
            : throw new AzureRequestException($"The answer of {call.On} goes on at {poll.Host}, which is not a host of {endpoint.Host}.");

    private static string? ProvisioningState(BinaryData body) =>
        Parse(body) is { ValueKind: JsonValueKind.Object } json
        && json.TryGetProperty("properties", out var properties)
        && properties.ValueKind == JsonValueKind.Object
        && properties.TryGetProperty("provisioningState", out var state)
        && state.ValueKind == JsonValueKind.String
            ? state.GetString()
            : null;

    private static string? OperationStatus(BinaryData body) =>
        Parse(body) is { ValueKind: JsonValueKind.Object } json
        && json.TryGetProperty("status", out var status)
        && status.ValueKind == JsonValueKind.String
            ? status.GetString()
            : null;

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
}

/// <summary>
/// Azure.Core repeats every request, even a POST that may have been carried out. This policy repeats only reads. A change that was
/// turned away is left to the next attempt of its step: until then somebody else may have changed the resource or paused everything.
/// A Retry-After is honoured where it is short; a longer one is for the caller to tell.
/// </summary>
internal sealed class IdempotentRetryPolicy(int retries, TimeSpan delay)
    : RetryPolicy(retries, DelayStrategy.CreateExponentialDelayStrategy(delay, TimeSpan.FromSeconds(30)))
{
    protected override bool ShouldRetry(HttpMessage message, Exception? exception) =>
        MayRepeat(message) && base.ShouldRetry(message, exception);

    protected override ValueTask<bool> ShouldRetryAsync(HttpMessage message, Exception? exception) =>
        MayRepeat(message) ? base.ShouldRetryAsync(message, exception) : ValueTask.FromResult(false);

    private static bool MayRepeat(HttpMessage message) =>
        message.TryGetProperty(typeof(AzureRequest), out var call)
        && call is AzureRequest { OnlyReads: true }
        && !(message.HasResponse && AzureClient.RetryAfter(message.Response) > OutboundHttp.LongestRetryAfter);
}

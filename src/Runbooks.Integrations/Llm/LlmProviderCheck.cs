using System.Net;
using System.Net.Http.Json;

namespace Runbooks.Integrations.Llm;

internal sealed class LlmProviderCheck(IHttpClientFactory clients, IOptions<LlmProviderOptions> options)
    : Check<LlmProviderParameters>("llm.provider", "Asks an LLM provider's API whether it answers.")
{
    public const string Client = "llm.provider";
    private const int MostSaid = 300;
    private const string UsedUp = "quota";

    /// <summary>Every model takes this but the reasoning ones of OpenAI, which refuse it and name the other.</summary>
    private static readonly (string Name, int Tokens) FirstLimit = ("max_tokens", 1);

    /// <summary>The tokens of the reasoning count as well.</summary>
    private static readonly (string Name, int Tokens) ReasoningLimit = ("max_completion_tokens", 16);

    /// <param name="lookUp">How names are resolved; as this machine does it, where left out.</param>
    public static SocketsHttpHandler Handler(Func<string, Task<IPAddress[]>>? lookUp = null) => new()
    {
        AllowAutoRedirect = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        ConnectCallback = async (context, cancellationToken) =>
            await NameLookup.ConnectAsync(
                await NameLookup.ResolveAsync(context.DnsEndPoint.Host, lookUp, cancellationToken),
                context.DnsEndPoint.Port,
                cancellationToken),
    };

    protected override async Task<CheckResult> AskAsync(
        LlmProviderParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var (name, problem) = ConfiguredName.Find(
            parameters.Provider,
            options.Value.Default,
            options.Value.Providers,
            "provider",
            LlmProviderOptions.SectionName,
            "Providers:{0}:Url",
            "name one in the check");
        if (name is null)
        {
            return CheckResult.Unknown(problem!);
        }

        // What helps against one trouble does not help against the other, so a person has to look.
        var result = await AskAsync(name, options.Value.Providers[name], parameters, context, cancellationToken);
        var trouble = result.Value is "402" or "429" ? ProviderTrouble.Limited : ProviderTrouble.Outage;
        if (result.Verdict != Verdict.Failing || parameters.Failing == ProviderTrouble.Any || parameters.Failing == trouble)
        {
            return result;
        }

        var words = parameters.Failing == ProviderTrouble.Limited
            ? "That is an outage, and no limit on requests."
            : "That is a limit on requests, and no outage.";
        return result with { Verdict = Verdict.Unknown, Summary = $"{result.Summary} {words}" };
    }

    private async Task<CheckResult> AskAsync(
        string name, ProviderEndpoint provider, LlmProviderParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(parameters.Timeout, context.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var started = context.Time.GetTimestamp();
        try
        {
            var answer = await SendAsync(provider, parameters.Ask, FirstLimit, both.Token);
            if (answer.Complaint?.Contains(ReasoningLimit.Name, StringComparison.Ordinal) == true)
            {
                answer = await SendAsync(provider, parameters.Ask, ReasoningLimit, both.Token);
            }

            return Judge(name, parameters.Ask, answer, context.Time.GetElapsedTime(started)) with { Link = provider.StatusPage };
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return OwnNetwork.TroubleAfter(parameters.Timeout, new Uri(provider.Url)) is { } trouble
                ? CheckResult.Unknown($"{name} was not asked: {trouble}") with { Link = provider.StatusPage }
                : CheckResult.Failing($"{name} did not answer within {parameters.Timeout.TotalSeconds:0.#} s.") with
                {
                    Value = "timeout",
                    Link = provider.StatusPage,
                };
        }
        catch (Polly.ExecutionRejectedException late)
        {
            // The time limit of all outbound calls may end before that of this check.
            return CheckResult.Failing($"{name} did not answer in time: {late.Message}") with
            {
                Value = "timeout",
                Link = provider.StatusPage,
            };
        }
        catch (HttpRequestException unreachable) when (OwnNetwork.Trouble(unreachable) is { } trouble)
        {
            return CheckResult.Unknown($"{name} was not asked: {trouble}") with { Link = provider.StatusPage };
        }
        catch (HttpRequestException tooLong) when (tooLong.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            return CheckResult.Unknown($"{name} {OwnNetwork.Describe(tooLong)}") with { Link = provider.StatusPage };
        }
        catch (HttpRequestException unreachable)
        {
            var isUntrusted = unreachable.HttpRequestError == HttpRequestError.SecureConnectionError;
            return CheckResult.Failing($"{name} {OwnNetwork.Describe(unreachable)}") with
            {
                Value = isUntrusted ? "untrusted" : "unreachable",
                Link = provider.StatusPage,
            };
        }
        catch (IOException broken)
        {
            return CheckResult.Failing($"{name} broke off in the middle of its answer: {broken.Message}") with
            {
                Value = "cut off",
                Link = provider.StatusPage,
            };
        }
    }

    private async Task<ProviderAnswer> SendAsync(
        ProviderEndpoint provider, ProviderQuestion ask, (string Name, int Tokens) limit, CancellationToken cancellationToken)
    {
        using var request = Request(provider, ask, limit);
        var client = clients.CreateClient(Client);
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        try
        {
            await answer.Content.LoadIntoBufferAsync(client.MaxResponseContentBufferSize, cancellationToken);
        }
        catch (HttpRequestException broken) when (broken.HttpRequestError != HttpRequestError.ConfigurationLimitExceeded)
        {
            throw new IOException(OwnNetwork.Reason(broken), broken);
        }

        return new(
            (int)answer.StatusCode,
            answer.ReasonPhrase,
            JsonAnswer.RetryAfter(answer),
            JsonAnswer.Parse(await answer.Content.ReadAsStringAsync(cancellationToken)) as JsonObject);
    }

    private static HttpRequestMessage Request(ProviderEndpoint provider, ProviderQuestion ask, (string Name, int Tokens) limit)
    {
        var path = ask == ProviderQuestion.Models ? "models" : "chat/completions";
        var url = $"{provider.Url.TrimEnd('/')}/{path}{(provider.Query is null ? "" : "?" + provider.Query)}";
        var request = ask == ProviderQuestion.Models
            ? new HttpRequestMessage(HttpMethod.Get, url)
            : new HttpRequestMessage(HttpMethod.Post, url) { Content = JsonContent.Create(Completion(provider.Model, limit)) };
        if (provider.ApiKey is { } key)
        {
            var bearer = string.Equals(provider.KeyHeader, "Authorization", StringComparison.OrdinalIgnoreCase);
            request.Headers.TryAddWithoutValidation(provider.KeyHeader, bearer ? $"Bearer {key}" : key);
        }

        return request;
    }

    private static JsonObject Completion(string? model, (string Name, int Tokens) limit)
    {
        var body = new JsonObject();
        if (model is not null)
        {
            body["model"] = model;
        }

        body[limit.Name] = limit.Tokens;
        body["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "ok" });
        return body;
    }

    private static CheckResult Judge(string name, ProviderQuestion ask, ProviderAnswer answer, TimeSpan took)
    {
        var status = answer.Status;
        var wait = answer.Wait is { } after ? $"; it asks to wait {after.TotalSeconds:0} s" : "";
        var said = answer.Complaint is { } complaint ? $" (\"{Clip.To(complaint, MostSaid)}\")" : "";
        var time = $"{took.TotalMilliseconds:0} ms";
        var (verdict, words) = status switch
        {
            >= 200 and <= 299 when answer.Has(ask) => (Verdict.Passing, $"answered {status} in {time}"),
            >= 200 and <= 299 => (
                Verdict.Failing,
                $"answered {status}, but not with {(ask == ProviderQuestion.Models ? "models" : "a completion")}"),
            400 when answer.IsCutThought => (Verdict.Passing, $"thought for longer than {ReasoningLimit.Tokens} tokens, in {time}"),
            _ when answer.IsUsedUp => (Verdict.Failing,
                $"refuses every request: {status}, its quota or credit is used up{said}. Waiting does not help; "
                    + "look at the account's billing"),
            429 => (Verdict.Failing, $"turns requests away: {status}, too many requests{said}{wait}"),
            402 => (Verdict.Failing, $"turns requests away: {status}{said}{wait}"),
            401 or 403 => (Verdict.Unknown,
                $"refuses our key: {status}{said}. That says nothing about its health; "
                    + $"check {LlmProviderOptions.SectionName}:Providers:{name}:ApiKey"),
            // Online endpoints of Azure Machine Learning answer 424 where the model's container fails, and 408 where it takes too long.
            408 or 424 or >= 500 => (Verdict.Failing, $"is failing: {status} {answer.Reason}{said}{wait}"),
            _ => (Verdict.Unknown, $"answered {status}{said}, which says nothing about its health; check its Url and Model"),
        };
        return new CheckResult(verdict, $"{name} {words}.")
        {
            Value = answer.IsUsedUp ? UsedUp : status.ToString(CultureInfo.InvariantCulture),
            Threshold = "not 2xx",
        };
    }

    private sealed record ProviderAnswer(int Status, string? Reason, TimeSpan? Wait, JsonObject? Body)
    {
        public string? Complaint => Status is >= 400 and < 500
            ? JsonAnswer.Text(Error is { } error ? error["message"] : Body?["error"] ?? Body?["message"])
            : null;

        /// <summary>
        /// The account may ask for nothing more until somebody pays or raises its limit. OpenAI says so with the status of too many
        /// requests, and others with 402. A 402 that asks to wait is different: other requests of ours use up what is left.
        /// </summary>
        /// <seealso href="https://platform.openai.com/docs/guides/error-codes"/>
        public bool IsUsedUp => (Status == 402 && Wait is null) || (Status == 429 && (IsQuota("type") || IsQuota("code")));

        private JsonObject? Error => Body?["error"] as JsonObject;

        private bool IsQuota(string property) => JsonAnswer.Text(Error?[property]) == "insufficient_quota";

        /// <summary>A reasoning model has thought for longer than it was given: it works.</summary>
        public bool IsCutThought => Complaint?.Contains("output limit was reached", StringComparison.OrdinalIgnoreCase) == true;

        public bool Has(ProviderQuestion asked) => Body?[asked == ProviderQuestion.Models ? "data" : "choices"] is JsonArray { Count: > 0 };
    }
}

public sealed record LlmProviderParameters
{
    [MaxLength(100)]
    [Description("The configured provider; the default one when left out.")]
    public string? Provider { get; init; }

    [Description("What to ask for: a completion of one token (of 16 where a reasoning model takes no fewer), or the list of models, "
        + "which costs nothing and proves little: it is answered while the model hangs, or while every completion is turned away.")]
    public ProviderQuestion Ask { get; init; } = ProviderQuestion.Completion;

    [Description("What is bad: an outage (5xx, 408, 424, no answer, an answer without a completion, "
        + "or an account whose quota or credit is used up), or that requests are limited (429, too many requests). "
        + "Of a provider that has the other trouble the check says unknown, so that a person decides whether the mitigation fits it. "
        + "`any`: both are bad.")]
    public ProviderTrouble Failing { get; init; } = ProviderTrouble.Any;

    [Range(typeof(TimeSpan), "00:00:00.1", "00:02:00")]
    [Description("How long to wait for the answer.")]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(15);
}

public enum ProviderQuestion { Models, Completion }

public enum ProviderTrouble { Any, Outage, Limited }

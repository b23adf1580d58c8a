using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Llm;

/// <summary>Asks the provider once and tells its own outage from a quota, a slow answer, and a key of ours that is wrong.</summary>
internal sealed class LlmProviderCheck(IHttpClientFactory clients, IOptions<LlmProviderOptions> options)
    : Check<LlmProviderParameters>("llm.provider", "Asks an LLM provider's API whether it answers.")
{
    public const string Client = "llm.provider";

    protected override async Task<CheckResult> AskAsync(LlmProviderParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var (name, problem) = ConfiguredName.Find(
            parameters.Provider, options.Value.Default, options.Value.Providers, "provider", LlmProviderOptions.SectionName, "Providers:{0}:Url", "name one in the check");
        if (name is null)
        {
            return CheckResult.Unknown(problem!);
        }

        var provider = options.Value.Providers[name];
        using var limit = new CancellationTokenSource(parameters.Timeout, context.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var started = context.Time.GetTimestamp();
        try
        {
            using var request = Request(provider, parameters.Ask);
            using var answer = await clients.CreateClient(Client).SendAsync(request, both.Token);
            var body = await answer.Content.ReadAsStringAsync(both.Token);
            return Judge(name, parameters.Ask, answer, body, context.Time.GetElapsedTime(started)) with { Link = provider.StatusPage };
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return CheckResult.Failing(FormattableString.Invariant($"{name} did not answer within {parameters.Timeout.TotalSeconds:0.#} s.")) with { Value = "timeout", Link = provider.StatusPage };
        }
        catch (Polly.ExecutionRejectedException late)
        {
            // The patience of all outbound calls may end before that of this check.
            return CheckResult.Failing($"{name} did not answer in time: {late.Message}") with { Value = "timeout", Link = provider.StatusPage };
        }
        catch (HttpRequestException unreachable)
        {
            return CheckResult.Failing($"{name} cannot be reached: {unreachable.Message}") with { Value = "unreachable", Link = provider.StatusPage };
        }
    }

    private static HttpRequestMessage Request(ProviderEndpoint provider, ProviderQuestion ask)
    {
        var path = ask == ProviderQuestion.Models ? "models" : "chat/completions";
        var url = $"{provider.Url.TrimEnd('/')}/{path}{(provider.Query is null ? "" : "?" + provider.Query)}";
        var request = ask == ProviderQuestion.Models
            ? new HttpRequestMessage(HttpMethod.Get, url)
            : new HttpRequestMessage(HttpMethod.Post, url)
            {
                Content = JsonContent.Create(new { model = provider.Model, max_tokens = 1, messages = new[] { new { role = "user", content = "ok" } } }),
            };
        if (provider.ApiKey is { } key)
        {
            var bearer = string.Equals(provider.KeyHeader, "Authorization", StringComparison.OrdinalIgnoreCase);
            request.Headers.TryAddWithoutValidation(provider.KeyHeader, bearer ? $"Bearer {key}" : key);
        }

        return request;
    }

    private static CheckResult Judge(string name, ProviderQuestion ask, HttpResponseMessage answer, string body, TimeSpan took)
    {
        var status = (int)answer.StatusCode;
        var wait = answer.Headers.RetryAfter?.Delta is { } after ? FormattableString.Invariant($"; it asks to wait {after.TotalSeconds:0} s") : "";
        var (verdict, words) = status switch
        {
            >= 200 and <= 299 when IsAnswer(ask, body) => (Verdict.Passing, FormattableString.Invariant($"answered {status} in {took.TotalMilliseconds:0} ms")),
            >= 200 and <= 299 => (Verdict.Failing, $"answered {status}, but not with {(ask == ProviderQuestion.Models ? "models" : "a completion")}"),
            429 => (Verdict.Failing, $"turns requests away: 429, too many requests{wait}"),
            401 or 403 => (Verdict.Unknown, $"refuses our key: {status}. That says nothing about its health; check {LlmProviderOptions.SectionName}:Providers:{name}:ApiKey"),
            >= 500 => (Verdict.Failing, $"is failing: {status} {answer.ReasonPhrase}{wait}"),
            _ => (Verdict.Unknown, $"answered {status}, which says nothing about its health; check its Url and Model"),
        };
        return new CheckResult(verdict, $"{name} {words}.") { Value = status.ToString(CultureInfo.InvariantCulture), Threshold = "not 2xx" };
    }

    private static bool IsAnswer(ProviderQuestion ask, string body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty(ask == ProviderQuestion.Models ? "data" : "choices", out var list)
                && list.ValueKind == JsonValueKind.Array && list.GetArrayLength() > 0;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}

public sealed record LlmProviderParameters
{
    [MaxLength(100)]
    [Description("The configured provider; the default one when left out.")]
    public string? Provider { get; init; }

    [Description("What to ask for: the list of models, which costs nothing, or a completion of one token, which proves more.")]
    public ProviderQuestion Ask { get; init; } = ProviderQuestion.Models;

    [Range(typeof(TimeSpan), "00:00:00.1", "00:02:00")]
    [Description("How long to wait for the answer.")]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(15);
}

public enum ProviderQuestion { Models, Completion }

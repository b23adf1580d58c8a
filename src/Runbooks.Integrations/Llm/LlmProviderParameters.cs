using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Runbooks.Integrations.Llm;

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

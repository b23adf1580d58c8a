using System.ComponentModel.DataAnnotations;
using Runbooks.Integrations.Llm;

namespace Runbooks.Integrations.Tests.Llm;

public sealed class LlmProviderOptionsTests
{
    /// <summary>Azure OpenAI lists its models at addresses at which it takes no completion, so a wrong one is not noticed before it matters.</summary>
    [Theory]
    [InlineData("https://a.openai.azure.com", null, false)]
    [InlineData("https://a.openai.azure.com/openai", "api-version=2024-10-21", false)]
    [InlineData("https://a.cognitiveservices.azure.com/OpenAI/", "api-version=2024-10-21", false)]
    [InlineData("https://a.services.ai.azure.com/openai/v1", "api-version=2024-10-21", false)]
    [InlineData("https://a.openai.azure.com/openai/v1/", null, true)]
    [InlineData("https://a.openai.azure.com/openai/v1", "api-version=preview", true)]
    [InlineData("https://a.openai.azure.com/openai/deployments/gpt-4o", "api-version=2024-10-21", true)]
    [InlineData("https://gateway.example.com/openai", "api-version=2024-10-21", true)]
    public void AddressOfAzureOpenAI_IsOneThatTakesCompletions(string url, string? query, bool fits)
    {
        var options = new LlmProviderOptions { Providers = { ["p"] = new() { Url = url, Query = query } } };

        options.Validate(new ValidationContext(options)).Select(problem => problem.ErrorMessage).ShouldBe(fits
            ? []
            : ["LlmProvider:Providers:p is no address at which Azure OpenAI takes a completion. End Url with /openai/v1, name the deployment as Model, and leave api-version out of Query."]);
    }
}

using Runbooks.Catalog.Templates;

namespace Runbooks.Catalog.Tests.Templates;

public sealed class GeneratedPodNameTests
{
    [Theory]
    [InlineData("vllm-7d9f8c6b5d-x2x4v", "vllm-7d9f8c6b5d-k9q7d", true)]
    [InlineData("vllm-7d9f8c6b5d-x2x4v", "vllm-5c47b8d6f9-k9q7d", true)] // after a rollout
    [InlineData("node-exporter-x2x4v", "node-exporter-k9q7d", true)] // of a DaemonSet
    [InlineData("a.b-7d9f8c6b5d-x2x4v", "a.b-7d9f8c6b5d-k9q7d", true)]
    [InlineData("vllm-7d9f8c6b5d-x2x4v", "vllm-embed-7d9f8c6b5d-k9q7d", false)]
    [InlineData("vllm-7d9f8c6b5d-x2x4v", "vllm-k9q7d", false)]
    [InlineData("vllm-7d9f8c6b5d-x2x4v", "vllm-0", false)]
    [InlineData("a.b-7d9f8c6b5d-x2x4v", "axb-7d9f8c6b5d-k9q7d", false)]
    [InlineData("llm-b-0", "llm-b-1", false)] // of a StatefulSet
    [InlineData("debug-shell", "debug-other", false)]
    public void Siblings_AreThoseOfOneController(string pod, string other, bool areSiblings) =>
        GeneratedPodName.AreSiblings(pod, other).ShouldBe(areSiblings);
}
